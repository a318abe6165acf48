"""Settings: read once from ``NEWS_*`` environment variables, passed down as one frozen object.

Nothing else in the package reads the environment.
"""

import dataclasses
import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pipeline import __version__
from pipeline.errors import ConfigError

PREFIX = "NEWS_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CREDENTIALS = re.compile(r"^(\w+://)?.*@", re.DOTALL)

_HOME = "https://github.com/news-pipeline/news-pipeline"


def _seconds(text: str) -> timedelta:
    seconds = float(text)
    if not 0 <= seconds < 10**9:
        raise ValueError("not a number of seconds from 0 up")
    return timedelta(seconds=seconds)


def _seconds_list(text: str) -> tuple[timedelta, ...]:
    return tuple(sorted(_seconds(part) for part in text.split(",") if part.strip()))


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def _hosts(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for part in filter(None, map(str.strip, text.split(","))):
        name, equals, address = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r} is not of the form NAME=ADDRESS")
        pairs.append((name.strip().lower(), str(ipaddress.ip_address(address.strip()))))
    return tuple(pairs)


def _proxy(text: str) -> str:
    try:
        parts = urlsplit(text)
        well_formed = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        well_formed = False  # without the words of the error, which may hold the password
    if not well_formed or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be of the form http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")
    return text.rstrip("/")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("must be 1 or more")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("must be 0 or more")
    return number


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text.lower()

    return parse


def _some_of(*words: str) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        given = {part.strip().lower() for part in text.split(",")} - {""}
        if unknown := given - set(words):
            raise ValueError(f"{', '.join(sorted(unknown))}: must be some of {', '.join(words)}")
        return tuple(sorted(given))

    return parse


def _setting(default: Any, read: Callable[[str], Any], doc: str, *, secret: bool = False) -> Any:  # noqa: ANN401  # any field's default
    return field(default=default, metadata={"read": read, "doc": doc, "secret": secret}, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Durations and delays are given in seconds in the environment."""

    database_url: str = _setting(
        "sqlite:///news.db", str, "SQLAlchemy URL of the archive: sqlite:///FILE or postgresql+psycopg://…"
    )
    allow_networks: tuple[Network, ...] = _setting(
        (), _networks, "private networks that may be fetched from, comma-separated CIDR; none by default"
    )
    resolve: tuple[tuple[str, str], ...] = _setting(
        (), _hosts, "fixed addresses of names, comma-separated NAME=ADDRESS; NAME may begin with *."
    )
    host_delay: timedelta = _setting(
        timedelta(seconds=1), _seconds, "least pause between two requests to one host, in seconds"
    )
    host_max_delay: timedelta = _setting(
        timedelta(seconds=60), _seconds, "longest pause that slowness, 429 and 503 may lead to, in seconds"
    )
    host_connections: int = _setting(1, _positive, "requests to one host at once")
    lease: timedelta = _setting(
        timedelta(seconds=300), _seconds, "how long a claim lasts without a sign of life, in seconds"
    )
    concurrency: int = _setting(64, _positive, "hosts that one process talks to at once")
    jobs: int = _setting(0, _count, "extraction processes; 0 means one per core")
    contact: str = _setting("", str, "mail or web address for site owners, added to the user agent")
    user_agent: str = _setting(f"news-pipeline/{__version__}", str, "product name sent to servers and robots.txt")
    timeout: timedelta = _setting(timedelta(seconds=20), _seconds, "longest wait for one network operation, in seconds")
    deadline: timedelta = _setting(
        timedelta(seconds=60), _seconds, "longest time for one request with its redirects, in seconds"
    )
    extract_timeout: timedelta = _setting(
        timedelta(seconds=30), _seconds, "longest time to extract one page, in seconds"
    )
    rules_dir: str = _setting(
        "", str, "folder with rules of single sites (TOML), before those of the package; see docs/rules.md"
    )
    max_bytes: int = _setting(10 * 2**20, _positive, "largest body after decompression, in bytes")
    max_redirects: int = _setting(8, _count, "longest chain of redirects")
    proxy: str = _setting(
        "", _proxy, "HTTP proxy for all requests, http://USER:PASSWORD@HOST:PORT; empty: none", secret=True
    )
    max_attempts: int = _setting(5, _positive, "fetches of a page without success before it is given up")
    retry_delay: timedelta = _setting(
        timedelta(seconds=300),
        _seconds,
        "pause before the first retry of a page, in seconds, doubled each time; of a feed 3 to 12 times as long",
    )
    poll_interval: timedelta = _setting(
        timedelta(seconds=1800), _seconds, "first pause between two polls of a feed, in seconds; adapted from then on"
    )
    min_poll_interval: timedelta = _setting(
        timedelta(seconds=300), _seconds, "shortest pause between two polls of a feed, in seconds"
    )
    max_poll_interval: timedelta = _setting(
        timedelta(hours=24), _seconds, "longest pause between two polls of a feed that works, in seconds"
    )
    revisits: tuple[timedelta, ...] = _setting(
        (timedelta(hours=1), timedelta(hours=24), timedelta(days=7)),
        _seconds_list,
        "when to look at an article again, in seconds after publication, comma-separated; empty for never",
    )
    respect_opt_out: tuple[str, ...] = _setting(
        (),
        _some_of("noai", "noarchive", "noimageai", "tdm"),
        "signals whose pages are not kept, comma-separated: noai, noarchive, noimageai, tdm; none by default",
    )
    tdm_file: str = _setting(
        "on", _one_of("on", "off"), "on or off: whether each host is asked for its /.well-known/tdmrep.json"
    )
    archive_url: str = _setting(
        "auto",
        str,
        "where raw copies are kept: a folder, any fsspec address, or off; auto: raw/ beside a SQLite file, else off",
    )
    archive_spool: str = _setting(
        "news-spool",
        str,
        "folder for files of a remote archive, and, beside a server's database, for answers that are not stored yet",
    )
    archive_max_bytes: int = _setting(256 * 2**20, _positive, "size at which a file of raw copies is full, in bytes")
    archive_max_age: timedelta = _setting(
        timedelta(hours=24), _seconds, "age at which a file of raw copies is full, in seconds"
    )
    prune_polls: timedelta = _setting(
        timedelta(0), _seconds, "age at which news prune forgets polls, in seconds; 0: never"
    )
    prune_raw: timedelta = _setting(
        timedelta(0), _seconds, "age at which news prune removes raw copies, in seconds; 0: never"
    )
    prune_revisions: int = _setting(0, _count, "revisions of an article that news prune leaves; 0: all")
    robots_ttl: timedelta = _setting(
        timedelta(hours=24), _seconds, "how long a robots.txt or tdmrep.json is believed, in seconds"
    )
    websub_callback: str = _setting(
        "", str, "public address that hubs reach `news websub serve` at; empty: WebSub is off"
    )
    wayback_url: str = _setting(
        "https://web.archive.org", str, "archive whose CDX index and copies `news backfill wayback` asks"
    )
    ccnews_url: str = _setting("https://data.commoncrawl.org", str, "where `news backfill ccnews` finds its listings")
    backfill_pool: str = _setting(
        "default_pool", str, "Airflow pool of the DAG backfill_archive; any other has to be made first"
    )
    export_dir: str = _setting("exports", str, "folder that the DAG export_daily writes its files into")
    log_format: str = _setting("console", _one_of("console", "json"), "console or json")
    log_level: str = _setting("warning", _one_of("debug", "info", "warning", "error"), "debug, info, warning or error")

    @property
    def full_user_agent(self) -> str:
        """What is sent as ``User-Agent``: the product, and how to reach whoever runs it."""
        return f"{self.user_agent} (+{self.contact or _HOME})"

    @property
    def archive_place(self) -> str | None:
        """Where raw copies are kept: a folder or an address of fsspec; None where they are not."""
        if self.archive_url != "auto":
            return None if self.archive_url.lower() == "off" else self.archive_url
        scheme, _, path = self.database_url.partition(":///")
        if not scheme.startswith("sqlite") or not path:
            return None  # several machines may share a server, and none of their folders is the others'
        return str(Path(path.partition("?")[0]).expanduser().parent / "raw")

    @property
    def inbox_place(self) -> str | None:
        """Folder of answers that are not stored yet (`pipeline.fetch.inbox`); None where nobody could find them again.

        Beside a SQLite file, as its own journal; of a server's database below ``archive_spool``.
        """
        scheme, _, path = self.database_url.partition(":///")
        if not scheme.startswith("sqlite"):
            return str(
                Path(self.archive_spool) / f"inbox-{hashlib.sha256(self.database_url.encode()).hexdigest()[:12]}"
            )
        file = path.partition("?")[0]
        return str(Path(file).expanduser()) + "-inbox" if file and file != ":memory:" else None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; empty variables count as not set.

        Raises:
            ConfigError: a value cannot be read.
        """
        values: dict[str, object] = {}
        for name, text in variables(environ).items():
            try:
                values[name] = _FIELDS[name].metadata["read"](text.strip())
            except (ValueError, OverflowError) as error:
                given = _without_credentials(text) if _FIELDS[name].metadata["secret"] else text
                raise ConfigError(f"{PREFIX}{name.upper()}={given!r}: {error}") from error
        return cls(**values)  # type: ignore[arg-type]  # each reader returns its field's type

    def described(self, environ: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
        """Rows of (variable, value, source, explanation) for ``news config``; passwords are masked."""
        given = variables(environ)
        return [
            (
                PREFIX + name.upper(),
                _shown(name, getattr(self, name)),
                "environment" if name in given else "default",
                declared.metadata["doc"],
            )
            for name, declared in _FIELDS.items()
        ]


_FIELDS = {declared.name: declared for declared in dataclasses.fields(Settings)}


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that the environment gives, by field name."""
    return {name: environ[key] for name in _FIELDS if environ.get(key := PREFIX + name.upper(), "").strip()}


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """``NEWS_*`` variables that are no setting: often a typing error that would silently do nothing."""
    known = {PREFIX + name.upper() for name in _FIELDS}
    return sorted(key for key in environ if key.startswith(PREFIX) and key not in known)


def masked_url(url: str) -> str:
    """The database URL with its password hidden."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}"))


def _without_credentials(text: str) -> str:
    """The address without user name and password, whatever else is wrong with it: either may be a key."""
    return _CREDENTIALS.sub(r"\1***@", text)


def _shown(name: str, value: object) -> str:
    if name == "database_url":
        return masked_url(str(value))
    if name == "proxy":
        return _without_credentials(str(value))
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, tuple):
        if name == "resolve":
            return ",".join(f"{host}={address}" for host, address in value)
        return ",".join(_shown("", part) for part in value)
    return str(value)
