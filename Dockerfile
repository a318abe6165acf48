# Airflow with the pipeline installed and the DAGs in place. Nothing here runs as root.
# Build:  docker compose build
ARG AIRFLOW_VERSION=3.3.2
ARG PYTHON_VERSION=3.12
FROM apache/airflow:${AIRFLOW_VERSION}-python${PYTHON_VERSION}

# The base image's user, said again so that it holds whatever that image does one day.
USER 50000:0

COPY --chown=50000:0 pyproject.toml README.md LICENSE /opt/news/
COPY --chown=50000:0 pipeline /opt/news/pipeline
COPY --chown=50000:0 migrations /opt/news/migrations

# An ARG from before FROM is gone after it. Airflow's own version is named so that pip cannot move it.
ARG AIRFLOW_VERSION
RUN pip install --no-cache-dir "apache-airflow==${AIRFLOW_VERSION}" /opt/news \
 && news --help > /dev/null

# A new volume takes the owner of the folder that it is laid over.
RUN mkdir --mode 700 /opt/airflow/users

COPY --chown=50000:0 examples/feeds.opml /opt/news/feeds.opml
COPY --chown=50000:0 dags /opt/airflow/dags
