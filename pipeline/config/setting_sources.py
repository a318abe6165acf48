"""Where settings are given: in the environment, in files that it names, and in a settings file, in this order.

The settings file is ``news.toml``: the one that ``NEWS_CONFIG`` names, else the one beside the SQLite file that
``NEWS_DATABASE_URL`` names (by default in the working folder). Its keys are the settings without ``NEWS_``, in lower
case; lists are given as lists. Relative paths in it start from its folder, so that it means the same to a shell, cron
and Airflow. ``NEWS_PROXY_FILE=/run/secrets/proxy`` has the value of ``NEWS_PROXY`` read from a file, and likewise
``proxy_file = "…"`` in the settings file: for secrets, which should not stand in either.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError

PREFIX = "NEWS_"
CONFIG_VARIABLE = "NEWS_CONFIG"
CONFIG_NAME = "news.toml"
FROM_FILE = "_file"
"""Behind the name of a setting, for the name of a file that holds its value."""

_OURS = ("NEWS_TEST_", CONFIG_VARIABLE)
"""Beginnings of variables that mean something, and are no settings."""

_SQLITE = "sqlite:///"
_PATHS = frozenset({"rules_dir", "export_dir", "archive_spool", "archive_url"})
_NO_PATHS = frozenset({"", "auto", "off"})


@dataclass(frozen=True, slots=True)
class GivenSetting:
    """One setting as it was given.

    Attributes:
        text: its value, as the environment has it.
        source: ``environment``, or the file that it comes from.
        name: what it was called there, for messages.
    """

    text: str
    source: str
    name: str


def read_sources(environ: Mapping[str, str], names: Collection[str]) -> tuple[dict[str, GivenSetting], list[str]]:
    """Return the settings that are given, by name, and a warning for each name that is not a setting.

    An empty variable counts as not given.

    Raises ConfigError: a file cannot be read, or a setting is given twice in one place.
    """
    given: dict[str, GivenSetting] = {}
    unknown = []
    file = _find_file(environ)
    if file is not None:
        table = _read_table(file)
        given, strangers = _collect({key: _to_text(value, file, key) for key, value in table.items()}, names, file)
        unknown = [f"{key} in {file} is no setting{_suggest(key, names)}" for key in strangers]
    variables = {
        key.removeprefix(PREFIX).lower(): value
        for key, value in environ.items()
        if key.startswith(PREFIX) and key == key.upper() and not key.startswith(_OURS)
    }
    from_environment, strangers = _collect(variables, names, None)
    lower = [key for key in environ if key.startswith(PREFIX) and key != key.upper()]
    unknown += [
        f"{key} is set, and is no setting{_suggest(key.removeprefix(PREFIX).lower(), names, PREFIX)}"
        for key in sorted([PREFIX + name.upper() for name in strangers] + lower)
    ]
    return given | from_environment, unknown


def _find_file(environ: Mapping[str, str]) -> Path | None:
    if named := environ.get(CONFIG_VARIABLE, "").strip():
        return Path(named).expanduser()
    url = environ.get("NEWS_DATABASE_URL", "").strip()
    if url and not url.startswith(_SQLITE):
        return None
    beside = Path(url.removeprefix(_SQLITE).partition("?")[0]).expanduser().parent / CONFIG_NAME
    return beside if beside.is_file() else None


def _read_table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"the settings file {file} cannot be read: {error}") from error


def _to_text(value: object, file: Path, key: str) -> str:
    """Return a TOML value as the text that the environment would have."""
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | int | float):
        return str(value)
    raise ConfigError(f"{file}: {key} must be a text, a number, or a list of these")


def _collect(
    texts: Mapping[str, str], names: Collection[str], file: Path | None
) -> tuple[dict[str, GivenSetting], list[str]]:
    """Return the settings among these texts, files read in, and the names that are no settings."""
    given, strangers = {}, []
    for key, text in texts.items():
        label = key if file else PREFIX + key.upper()
        name, is_file = (key, False) if key in names else (key.removesuffix(FROM_FILE), key.endswith(FROM_FILE))
        if name not in names:
            strangers.append(key)
        elif text.strip():
            if is_file and texts.get(name, "").strip():
                raise ConfigError(f"{label} and its setting itself are both given: choose one")
            value = text.strip()
            if file:
                value = _resolve(value, file, is_path=is_file or name in _PATHS)
            given[name] = GivenSetting(
                _read_value(value, label) if is_file else value, str(file or "environment"), label
            )
    return given, strangers


def _resolve(value: str, file: Path, *, is_path: bool) -> str:
    """Resolve a relative path in the value against the folder of the settings file."""
    folder = file.absolute().parent
    if is_path and value.lower() not in _NO_PATHS and "://" not in value:
        return str(folder / Path(value).expanduser())
    if value.startswith(_SQLITE) and not value.startswith((f"{_SQLITE}/", f"{_SQLITE}~")):
        return f"{_SQLITE}{folder}/{value.removeprefix(_SQLITE)}"
    return value


def _read_value(path: str, label: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{label}: {path} cannot be read: {error}") from error


def _suggest(name: str, names: Collection[str], prefix: str = "") -> str:
    near = get_close_matches(name, names, 1, 0.7)
    return f"; did you mean {(prefix + near[0].upper()) if prefix else near[0]}?" if near else ""
