"""The unit for systemd fits what `news watch` does."""

import configparser
import shlex
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.config import Settings
from pipeline.ingest.database_outages import LONGEST_PAUSE
from pipeline.ingest.watching import RARE_LOOK
from pipeline.store.connection.engine import CONNECT_SECONDS
from tests.support.commands import find_command

UNIT = Path(__file__).resolve().parents[2] / "examples" / "systemd" / "news-watch.service"


@pytest.fixture(scope="module")
def service():
    parser = configparser.ConfigParser(strict=True, interpolation=None)
    parser.optionxform = str
    parser.read_string(UNIT.read_text("utf-8"))
    return parser["Service"]


@pytest.mark.parametrize("name", ["ExecStart", "ExecStartPre"])
def test_the_commands_and_their_options_exist(service, name):
    program, *words = shlex.split(service[name])
    assert program.endswith("/bin/news")
    options = {name for parameter in find_command(words).params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options


def test_it_waits_for_readiness_and_reads_settings_by_the_signal_that_is_heeded(service):
    assert service["Type"] == "notify"
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert "KillSignal" not in service


def test_it_is_given_the_time_that_it_needs(service):
    silence = timedelta(seconds=max(RARE_LOOK, LONGEST_PAUSE) + 2 * CONNECT_SECONDS)  # of a server with two addresses
    assert timedelta(seconds=float(service["WatchdogSec"])) > silence
    assert timedelta(seconds=float(service["TimeoutStopSec"])) > Settings().deadline


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_understands_it(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/news/bin/news", "/bin/true"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert UNIT.name not in done.stderr, done.stderr
