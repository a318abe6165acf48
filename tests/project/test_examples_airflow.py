"""What `make demo`, `make up` and `make cluster` stand on: processes that end together, ports, compose's variables."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from examples.airflow.demo_report import COUNTS, Archive, check
from examples.airflow.descendants import is_alive
from examples.airflow.supervise import Processes, ScriptError, airflow_environment, is_free
from examples.airflow.up import choose_port
from examples.newsroom.expectations import expected_files

ROOT = Path(__file__).resolve().parents[2]
SLEEPER = "import time; time.sleep(600)"
# Starts a process that leaves its group, as each task of Airflow does, and one that does not listen to SIGTERM.
PARENT = f"""
import subprocess, sys, time
own_group = subprocess.Popen([sys.executable, "-c", {SLEEPER!r}], process_group=0)
deaf = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(15, 1); print('deaf', flush=True); "
                         + {SLEEPER!r}], stdout=subprocess.PIPE)
deaf.stdout.readline()
print(own_group.pid, deaf.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def processes(tmp_path):
    with Processes(tmp_path / "output") as processes:
        yield processes


def start_family(processes):
    """A process with two children; returns all three."""
    started = processes.start("parent", [sys.executable, "-c", PARENT], os.environ)
    processes.wait_for("the children", lambda: started.log.read_text().endswith("\n"), timeout=30)
    pids = [started.popen.pid, *map(int, started.log.read_text().split())]
    return started, [psutil.Process(pid) for pid in pids]


def test_whatever_was_started_is_ended_with_its_children_in_groups_of_their_own(tmp_path):
    with Processes(tmp_path / "output", grace=1) as processes:
        _, family = start_family(processes)
        assert all(member.is_running() for member in family)
    assert not any(is_alive(member) for member in family)


def test_a_kill_takes_the_children_along(processes):
    started, family = start_family(processes)
    processes.kill(started)
    psutil.wait_procs(family, timeout=10)
    assert not any(is_alive(member) for member in family)
    processes.check()  # it is no longer ours to miss


def test_what_was_killed_starts_again_as_it_was(processes):
    first = processes.start(
        "speaker", [sys.executable, "-c", f"print(input(), flush=True); {SLEEPER}"], os.environ, stdin="one\n"
    )
    processes.wait_for("its word", lambda: first.log.read_text() == "one\n", timeout=30)
    processes.kill(first)
    second = first.again()
    processes.wait_for("its word", lambda: second.log.read_text() == "one\none\n", timeout=30)
    assert second.popen.pid != first.popen.pid


# Starts the family above, says who they are, and waits to be killed.
PROGRAM = f"""
import os, pathlib, sys, time
from examples.airflow.descendants import is_alive
from examples.airflow.supervise import Processes
with Processes(pathlib.Path(sys.argv[1]), grace=1) as processes:
    started = processes.start("parent", [sys.executable, "-c", {PARENT!r}], os.environ)
    processes.wait_for("the children", lambda: started.log.read_text().endswith("\\n"), timeout=30)
    print(started.popen.pid, started.log.read_text().strip(), flush=True)
    time.sleep(600)
"""


def test_what_was_started_ends_when_the_program_itself_is_killed(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    family = [psutil.Process(int(pid)) for pid in program.stdout.readline().split()]
    program.kill()
    program.communicate()
    _, left = psutil.wait_procs(family, timeout=30)
    assert not any(map(is_alive, left))


def test_orphans_of_a_killed_child_are_ended_with_the_rest(processes):
    """As extraction processes are when their task was killed: their parent has gone, and no tree leads to them."""
    started, (parent, *children) = start_family(processes)
    parent.kill()
    processes.kill(started)
    psutil.wait_procs(children, timeout=10)
    assert not any(map(is_alive, children))


def test_a_process_that_ends_by_itself_is_told_of_with_its_last_words(processes):
    processes.start("speaker", [sys.executable, "-c", "print('the database is away'); raise SystemExit(3)"], os.environ)
    with pytest.raises(ScriptError, match=r"speaker ended with code 3:\nthe database is away"):
        processes.wait_for("never", lambda: False, timeout=60)


def test_a_process_reads_what_it_is_given(processes):
    reader = processes.start("reader", [sys.executable, "-c", "print(input())"], os.environ, stdin="requirepass x\n")
    assert reader.popen.wait(30) == 0
    assert reader.log.read_text() == "requirepass x\n"


@pytest.mark.parametrize("asked", ["0", "65536", "eighty", "-1"])
def test_a_port_that_is_none_is_refused(asked):
    with pytest.raises(ScriptError, match="is no port number"):
        choose_port(asked, "127.0.0.1")


def test_a_taken_port_is_refused_where_it_was_asked_for_and_passed_over_where_not():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(ScriptError, match=f"Port {port} is taken"):
            choose_port(str(port), "127.0.0.1")
        assert choose_port(None, "127.0.0.1") != port


def test_the_banner_of_make_up_prints_no_password(tmp_path):
    environment = os.environ | {"NEWS_DATABASE_URL": "postgresql+psycopg://news:secret@db.example/news", "PORT": "none"}
    code = (
        "import os, pathlib; from examples.airflow.up import banner, settings; home = pathlib.Path('.airflow');"
        "print(banner(home, 'http://127.0.0.1:1', settings(home, '127.0.0.1', 1, os.environ)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert "news status" in done.stdout
    assert "secret" not in done.stdout


def test_airflow_leaves_the_settings_of_the_caller_as_they_are(tmp_path):
    given = {"AIRFLOW__CORE__PARALLELISM": "16", "PATH": "/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    made = airflow_environment(tmp_path, given)
    assert made["AIRFLOW__CORE__PARALLELISM"] == "16"
    assert made["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert made["PATH"].endswith(f"{os.pathsep}/bin")
    assert "PYTHONDONTWRITEBYTECODE" not in made


# As `make demo` ends, over the archive that NEWS_DATABASE_URL names.
ENDING = """
import os, pathlib, sys
from rich.console import Console
from examples.airflow.demo_pages import end_with_pages
end_with_pages(Console(width=100), "sqlite:///.demo/news.db", os.environ, pathlib.Path(sys.argv[1]))
"""


def test_the_demonstration_ends_without_a_terminal_and_tells_how_its_page_is_served(sqlite_url, tmp_path):
    words = [sys.executable, "-c", ENDING, str(tmp_path)]
    environment = os.environ | {"NEWS_DATABASE_URL": sqlite_url}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "NEWS_DATABASE_URL=sqlite:///.demo/news.db .venv/bin/news serve" in done.stdout
    assert done.stdout.endswith("http://127.0.0.1:8766/\n")


def test_the_demonstration_serves_its_page_on_a_terminal_until_ctrl_c(sqlite_url, tmp_path):
    pytest.importorskip("uvicorn", reason="the pages need the extra web")
    pytest.importorskip("itsdangerous", reason="the pages need the extra web")
    ours, terminal = os.openpty()
    words = [sys.executable, "-c", ENDING, str(tmp_path)]
    environment = os.environ | {"NEWS_DATABASE_URL": sqlite_url}
    with (
        subprocess.Popen(words, cwd=ROOT, env=environment, stdin=terminal, stdout=terminal) as demo,
        os.fdopen(ours) as said,
    ):
        os.close(terminal)
        try:
            lines = iter(said.readline, "")  # to the end of the program, where it fails
            address = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+/", line)))
            with urllib.request.urlopen(address) as page:
                assert b"<h1>Overview</h1>" in page.read()
        finally:
            demo.send_signal(signal.SIGINT)
        assert demo.wait() == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address)


@pytest.fixture
def services():
    """The module that reads docker-compose.yml; it needs PyYAML, which comes with Airflow."""
    pytest.importorskip("yaml")
    from examples.airflow import services

    return services


@pytest.fixture
def cluster_up():
    """The module behind `make cluster-up`; it needs PyYAML and a driver of PostgreSQL."""
    pytest.importorskip("yaml")
    pytest.importorskip("psycopg")
    from examples.airflow import cluster_up

    return cluster_up


def test_what_was_left_running_is_ended_by_its_note_alone(cluster_up, tmp_path):
    notes, folder = tmp_path / "notes" / "processes.json", tmp_path / "work"
    with Processes(folder / "output", grace=1) as processes:
        _, family = start_family(processes)
        cluster_up.write_down(notes, folder, processes.leave())
    assert all(is_alive(member) for member in family)
    assert cluster_up.end(notes) == "Ended: parent"
    assert not any(is_alive(member) for member in family)
    assert not folder.exists()
    assert not notes.exists()


def test_a_process_that_has_come_by_a_noted_id_is_left_alone(cluster_up, tmp_path):
    notes = tmp_path / "processes.json"
    with Processes(tmp_path / "output", grace=1) as processes:
        stranger = processes.start("stranger", [sys.executable, "-c", SLEEPER], os.environ)
        row = {"name": "worker", "pid": stranger.popen.pid, "mark": "none of these", "created": 1.0}
        notes.write_text(json.dumps({"folder": str(tmp_path / "work"), "processes": [row]}))
        cluster_up.end(notes)
        assert is_alive(psutil.Process(stranger.popen.pid))
    with pytest.raises(ScriptError, match="No cluster is noted to run"):
        cluster_up.end(notes)


def test_every_secret_of_the_example_is_new_each_time_and_fits_into_a_url(services):
    first, second = services.new_secrets(), services.new_secrets()
    assert first.keys() == second.keys() >= {"REDIS_PASSWORD", "AIRFLOW_FERNET_KEY"}
    assert not set(first.values()) & set(second.values())
    assert all(re.fullmatch(r"[A-Za-z0-9_=-]{44}", value) for value in first.values())


def test_variables_are_put_in_as_compose_does_it(services):
    secrets = services.new_secrets()
    made = services.compose_services(secrets)
    worker = made["worker"]["environment"]
    assert worker["AIRFLOW__CELERY__BROKER_URL"] == f"redis://:{secrets['REDIS_PASSWORD']}@redis:6379/0"
    assert worker["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "4"
    assert worker["NEWS_CONTACT"] == ""
    assert "$REDIS_PASSWORD" in made["redis"]["command"][2]


def test_a_secret_that_is_missing_is_named(services):
    secrets = services.new_secrets() | {"AIRFLOW_FERNET_KEY": ""}
    with pytest.raises(ScriptError, match="requires AIRFLOW_FERNET_KEY"):
        services.compose_services(secrets)


def archive(edition):
    """What the archive of the demonstration has to hold after the edition."""
    files = expected_files()
    urls = {told["url"] for told in files.values()}
    edited = [told["url"] for name, told in files.items() if name.endswith(".edition-2.json")] if edition > 1 else []
    revisions = [{"url": url, "number": 1} for url in urls] + [{"url": url, "number": 2} for url in edited]
    return Archive(dict.fromkeys(COUNTS, 7), {url: {"url": url} for url in urls}, tuple(revisions), 0)


def test_the_demonstration_is_content_with_what_has_to_be_there():
    assert check(archive(1), archive(1), 1) == []
    assert check(archive(1), archive(2), 2) == []


def test_the_demonstration_notices_what_is_missing_and_what_was_stored_twice():
    lacking = archive(1)
    url = next(iter(lacking.articles))
    del lacking.articles[url]
    assert check(archive(1), lacking, 1) == [f"there is no article of {url}"]
    doubled = archive(2)
    doubled.counts["articles"] += 1
    assert check(archive(1), doubled, 2) == ["articles: 7 before, 8 after"]
    assert "revised are none" in check(archive(1), archive(1), 2)[0]
