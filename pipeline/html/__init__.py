"""Bytes of a page become one parsed tree, and what the page declares of itself for machines."""
