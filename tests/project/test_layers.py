"""The layers of style that can be checked by a machine: who may import whom, and what starts fast."""

import subprocess
import sys
import tomllib
from pathlib import Path

from importlinter import cli as importlinter

ROOT = Path(__file__).resolve().parents[2]


def test_imports_point_downward(tmp_path):
    assert importlinter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=str(tmp_path)) == 0


def test_no_floor_has_more_rooms_than_one_can_keep_in_mind():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    floors = [line.split("|") for contract in contracts for line in contract.get("layers", ())]
    assert floors
    assert [floor for floor in floors if len(floor) > 8] == []


def test_tests_stand_in_the_folder_of_what_they_test():
    beside = {"browser", "dags", "flows", "project"}
    folders = {file.parent.relative_to(ROOT / "tests").as_posix() for file in (ROOT / "tests").rglob("test_*.py")}
    assert beside < folders
    assert [folder for folder in folders - beside if not (ROOT / "pipeline" / folder / "__init__.py").exists()] == []


def test_errors_import_nothing_heavy():
    # Airflow's retry rules import pipeline.errors whenever a DAG file is parsed.
    code = "import sys; import pipeline.errors; print(*sorted(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "httpx", "trafilatura", "feedparser", "lxml"} & set(done.stdout.split())


def test_the_package_never_imports_airflow():
    code = "import sys; import pipeline.cli, pipeline.ingest; print('airflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
