"""What commands import: a test of start-up time without a clock."""

import os
import subprocess
import sys

import pytest

HEAVY = {"alembic", "httpx", "lxml", "matplotlib", "pandas", "psycopg", "structlog", "trafilatura"}


START = {"__main__", "_distutils_hack"}
"""What an interpreter has before it runs anything of ours."""


def imported(env, *args):
    """Modules that a process has when the command ends, those of the standard library left out."""
    code = (
        "import sys, atexit\n"
        "from pipeline.cli import main\n"
        "atexit.register(lambda: print('imported', *sorted(sys.modules)))\n"
        f"main({list(args)!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | env, capture_output=True, text=True, check=True
    )
    modules = done.stdout.rpartition("imported ")[2].split()
    return {module for module in modules if module.partition(".")[0] not in {*sys.stdlib_module_names, *START}}


def packages(modules):
    return {module.partition(".")[0] for module in modules}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_need_click_and_the_settings(option):
    modules = imported({}, option)
    assert packages(modules) <= {"click", "pipeline"}
    ours = {module for module in modules if module.startswith("pipeline.")}
    assert {module for module in ours if not module.startswith("pipeline.config")} == {
        "pipeline.cli",
        "pipeline.cli.lazy_group",
        "pipeline.errors",
        "pipeline.errors.failure_reasons",
        "pipeline.text",
        "pipeline.text.control_characters",
    }


def test_the_list_of_a_group_needs_no_more(sqlite_url):
    assert "sqlalchemy" not in packages(imported({}, "feeds", "--help"))


def test_status_needs_the_tables_and_what_prints(sqlite_url):
    modules = imported({"NEWS_DATABASE_URL": sqlite_url}, "status")
    assert "sqlalchemy" in modules
    assert packages(modules) & HEAVY == set()
    rooms = {".".join(module.split(".")[:2]) for module in modules if module.startswith("pipeline.")}
    assert rooms <= {
        "pipeline.cli",
        "pipeline.config",
        "pipeline.errors",
        "pipeline.errors.failure_reasons",
        "pipeline.model",
        "pipeline.periods",
        "pipeline.runtime",
        "pipeline.store",
        "pipeline.text",
    }
    assert {module for module in modules if module.startswith("pipeline.runtime.")} == {"pipeline.runtime.heap"}


def test_a_command_that_logs_has_its_logs_set_up(sqlite_url):
    code = "from pipeline.cli import main; main(['crawl'], standalone_mode=False); import structlog; "
    code += "structlog.get_logger().error('seen')"
    env = {"NEWS_DATABASE_URL": sqlite_url, "NEWS_LOG_FORMAT": "json"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | env, capture_output=True, text=True, check=True
    )
    assert '"event": "seen"' in done.stderr
