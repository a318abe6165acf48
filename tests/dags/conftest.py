"""An Airflow of its own for these tests; its environment has to be set before anything imports it.

Airflow is an extra of the package: without it, nothing here is collected.
"""

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HAS_AIRFLOW = find_spec("airflow") is not None

if HAS_AIRFLOW:
    HOME = tempfile.TemporaryDirectory(prefix="news-airflow-")
    os.environ.update(
        AIRFLOW_HOME=HOME.name,
        AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
        AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "dags" / "plugins"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME.name}/airflow.db",
    )


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Skip the modules that import Airflow where there is none."""
    return True if not HAS_AIRFLOW and collection_path.name.startswith("test_") else None


@pytest.fixture(scope="session")
def bag():
    """The DAGs as the dag-processor reads them."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.fixture(scope="session")
def dag(bag):
    """The DAG `ingest_hourly`."""
    return bag.dags["ingest_hourly"]


@pytest.fixture(scope="session")
def airflow_database():
    """Airflow's own database, made."""
    from airflow.utils.db import initdb

    initdb()
