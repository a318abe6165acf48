"""Benchmarks are run by hand, and must still start when one does."""

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
OWN = ("pipeline", "examples", "tests", "bench")


@pytest.mark.parametrize("path", sorted(BENCH.rglob("*.py")), ids=lambda path: path.stem)
def test_what_a_benchmark_imports_of_the_project_is_there(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in OWN:
            try:
                module = importlib.import_module(str(node.module))
            except ModuleNotFoundError as error:
                if str(error.name).split(".")[0] in OWN:
                    raise
                continue  # a library that only this benchmark needs, or an extra
            for alias in node.names:
                assert hasattr(module, alias.name) or find_spec(f"{node.module}.{alias.name}"), (path.name, alias.name)
