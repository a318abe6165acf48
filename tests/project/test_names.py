"""The house is in order: one name for one thing, short modules and functions, and a docstring on all that is public."""

import ast
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pipeline"

DOUBLED: dict[str, str] = {}
"""Public names that two modules may define, each with the reason."""

REPEATED: dict[str, str] = {}
"""Names that two modules may have, each with the reason."""

MAX_MODULE = 250
LONG_MODULES: dict[str, str] = {}
"""Lines of a module, and those that may have more, each with the reason."""

MAX_FUNCTION = 40
LONG_FUNCTIONS: dict[str, str] = {}
"""Lines of a function, and those that may have more, as ``module.py:function``, each with the reason."""

MAX_ROOT, MAX_FOLDER = 30, 20
"""Entries of the package's own folder, and modules side by side in any folder."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules():
    """The source of each module, by its path below the package."""
    return {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def trees():
    return {name: ast.parse(source) for name, source in modules().items()}


def public(tree):
    """The classes and functions that a module defines for others."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def functions():
    """Every function and method, by its module and name, with its number of lines."""
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{name}:{node.name}", node.end_lineno - node.lineno + 1


def test_a_public_name_is_defined_in_one_module():
    homes = defaultdict(set)
    for name, tree in trees().items():
        for node in public(tree):
            homes[node.name].add(name)
    assert {name: sorted(where) for name, where in homes.items() if len(where) > 1 and name not in DOUBLED} == {}


def test_the_name_of_a_module_occurs_once():
    stems = Counter(Path(name).stem for name in modules())
    assert [stem for stem, number in stems.items() if number > 1 and stem not in {"__init__", *REPEATED}] == []


def test_no_public_name_hides_one_of_the_language():
    import builtins
    import typing

    hidden = {"All", *vars(builtins), *(name for name in typing.__all__ if name[0].isupper())}
    assert [
        f"{name}: {node.name}" for name, tree in trees().items() for node in public(tree) if node.name in hidden
    ] == []


def test_everything_public_is_documented():
    missing = [f"{name}: {node.name}" for name, tree in trees().items() for node in public(tree)
               if ast.get_docstring(node) is None]  # fmt: skip
    assert missing == []
    assert [name for name, tree in trees().items() if ast.get_docstring(tree) is None and modules()[name].strip()] == []


def test_modules_are_short():
    long = {name: source.count("\n") for name, source in modules().items() if source.count("\n") > MAX_MODULE}
    assert {name: lines for name, lines in long.items() if name not in LONG_MODULES} == {}


def test_functions_are_short():
    long = {name: lines for name, lines in functions() if lines > MAX_FUNCTION}
    assert {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS} == {}


def test_folders_can_be_taken_in_at_a_glance():
    entries = [path for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert len(entries) <= MAX_ROOT
    folders = Counter(Path(name).parent.as_posix() for name in modules())
    assert {folder: number for folder, number in folders.items() if number > MAX_FOLDER} == {}


@pytest.mark.parametrize(
    "allowed",
    [DOUBLED, REPEATED, LONG_MODULES, LONG_FUNCTIONS],
    ids=["doubled", "repeated", "long modules", "long functions"],
)
def test_exceptions_are_few_have_a_reason_and_are_still_needed(allowed):
    assert len(allowed) <= 6
    assert all(reason.strip() for reason in allowed.values())
    sizes = {name: source.count("\n") for name, source in modules().items()}
    names = Counter(node.name for tree in trees().values() for node in public(tree))
    stems = Counter(Path(name).stem for name in modules())
    needed = {name for name, lines in functions() if lines > MAX_FUNCTION}
    needed |= {name for name, lines in sizes.items() if lines > MAX_MODULE}
    needed |= {name for name, number in (names + stems).items() if number > 1}
    assert allowed.keys() - needed == set()
