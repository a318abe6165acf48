"""The layers of style that can be checked by a machine: who may import whom, and what starts fast."""

import subprocess
import sys
from pathlib import Path

from importlinter import cli as importlinter

ROOT = Path(__file__).resolve().parents[2]


def test_imports_point_downward(tmp_path):
    assert importlinter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=str(tmp_path)) == 0


def test_errors_import_nothing_heavy():
    # Airflow's retry rules import pipeline.errors whenever a DAG file is parsed.
    code = "import sys; import pipeline.errors; print(*sorted(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "httpx", "trafilatura", "feedparser", "lxml"} & set(done.stdout.split())


def test_the_package_never_imports_airflow():
    code = "import sys; import pipeline.cli, pipeline.ingest; print('airflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
