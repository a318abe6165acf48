"""Airflow around the pipeline: a demonstration, one machine, and a cluster as plain processes."""
