"""What is published: a wheel and a source distribution that work where there is no checkout."""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline import __version__

ROOT = Path(__file__).resolve().parents[2]
needs_hatchling = pytest.mark.skipif(find_spec("hatchling") is None, reason="hatchling builds the distributions")


def run(*words, cwd, stdin="", **environ):
    """Run a program away from the checkout; returns what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEWS_", "PYTHONPATH"))}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=kept | environ,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The files that hatchling makes: the source distribution from the checkout, the wheel from that."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    source = folder / sdist.name.removesuffix(".tar.gz")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=source)
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def install(distribution, folder, *options):
    """A new environment with this distribution in it, and the libraries of the one that the tests run in."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (site_packages,) = folder.glob("lib/python*/site-packages")
    libraries = {path for path in sys.path if path.endswith("site-packages")}
    # After its own: a library of the same name, such as the checkout's editable install, does not come first.
    (site_packages / "libraries.pth").write_text("\n".join(sorted(libraries)) + "\n")
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
        "--ignore-installed", "--disable-pip-version-check", *options, distribution, cwd=folder)  # fmt: skip
    return python


@needs_hatchling
@pytest.mark.parametrize("kind", ["wheel", "source distribution"])
def test_it_works_where_there_is_no_checkout(built, tmp_path, kind):
    python = install(built[kind == "wheel"], tmp_path / "environment")
    where = run(python, "-c", "import pipeline; print(pipeline.__file__)", cwd=tmp_path).strip()
    assert Path(where).is_relative_to(tmp_path), "it is not the checkout that runs"
    news = tmp_path / "environment" / "bin" / "news"
    assert run(news, "--version", cwd=tmp_path).strip() == f"news, version {__version__}"
    archive = {"NEWS_DATABASE_URL": f"sqlite:///{tmp_path}/news.db"}
    assert "nothing → " in run(news, "db", "upgrade", cwd=tmp_path, **archive)
    saved = tmp_path / "page.html"
    saved.write_text("<title>Tides</title><article><h1>Tides</h1><p>" + "The gate closes. " * 60 + "</p></article>")
    asked = json.dumps({"id": 1, "url": "https://news.example/1", "path": str(saved)})
    assert "The gate closes." in run(news, "extract", "--jobs", "1", cwd=tmp_path, stdin=asked)
    assert '"stored": 0' in run(news, "status", "--json", cwd=tmp_path, **archive)


@needs_hatchling
def test_the_wheel_holds_all_data_files_and_says_that_it_is_typed(built):
    with zipfile.ZipFile(built[1]) as wheel:
        held = set(wheel.namelist())
    assert "pipeline/py.typed" in held
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pipeline").rglob("*")
              if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    wanted |= {f"pipeline/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "migrations").rglob("*.py")}
    assert sorted(wanted - held) == []
    assert {name.split("/")[0] for name in held} == {"pipeline", f"news_pipeline-{__version__}.dist-info"}


@needs_hatchling
def test_the_source_distribution_holds_what_the_documentation_names(built):
    with tarfile.open(built[0]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "CHANGELOG.md", "LICENSE", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"} <= held
    assert {"docs/glossary.md", "bench/README.md", "Makefile", "tests/conftest.py", "requirements.lock"} <= held


def test_the_changelog_knows_the_version():
    versions = re.findall(r"^## \[?([^\] \n]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert __version__ in versions


@pytest.mark.parametrize("lock", ["requirements", "requirements-core", "requirements-cluster", "requirements-image"])
def test_every_dependency_is_in_every_lock_file(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w-]+", dependency)[0].lower() for dependency in project["dependencies"]}
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / f"{lock}.lock").read_text("utf-8"), re.MULTILINE))
    assert needed - pinned == set()
