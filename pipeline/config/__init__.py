"""Settings: read once, passed down as one frozen object.

Nothing else in the package reads the environment. `pipeline.config.setting_sources` says where settings are given.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.config.setting_kinds import duration_setting as _duration
from pipeline.config.setting_kinds import limits_setting as _limits
from pipeline.config.setting_kinds import plain_setting as _setting
from pipeline.config.setting_readers import (
    Limits,
    Network,
    Notifiers,
    masked_url,
    read_count,
    read_hosts,
    read_name_list,
    read_networks,
    read_notifiers,
    read_positive,
    read_proxy,
    read_seconds,
    read_seconds_list,
    reader_of_one,
    reader_of_some,
    shown_text,
    shown_value,
)
from pipeline.config.setting_sources import PREFIX, read_sources
from pipeline.errors import ConfigError
from pipeline.errors.failure_reasons import KEPT_TYPES, PAGE_TYPES

__all__ = ["Limits", "Network", "Settings", "masked_url"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. Durations and delays are given in seconds in the environment."""

    # The archive, and the network.
    database_url: str = _setting(
        "sqlite:///news.db", str, "SQLAlchemy URL of the archive: sqlite:///FILE or postgresql+psycopg://…", secret=True
    )
    database_patience: timedelta = _duration(30, "how long a lost connection to PostgreSQL is tried again, in seconds")
    allow_networks: tuple[Network, ...] = _setting(
        (), read_networks, "private networks that may be fetched from, comma-separated CIDR; none by default"
    )
    resolve: tuple[tuple[str, str], ...] = _setting(
        (), read_hosts, "fixed addresses of names, comma-separated NAME=ADDRESS; NAME may begin with *."
    )
    # Politeness.
    host_delay: timedelta = _duration(1, "least pause between two requests to one host, in seconds")
    host_max_delay: timedelta = _duration(60, "longest pause that slowness, 429 and 503 may lead to, in seconds")
    host_connections: int = _setting(1, read_positive, "requests to one host at once")
    lease: timedelta = _duration(300, "how long a claim lasts without a sign of life, in seconds; 1 at least", least=1)
    # How much at once, and how long.
    concurrency: int = _setting(64, read_positive, "hosts that one process talks to at once")
    jobs: int = _setting(0, read_count, "extraction processes; 0 means one per core")
    contact: str = _setting("", str, "mail or web address for site owners, added to the user agent")
    user_agent: str = _setting(f"news-pipeline/{__version__}", str, "product name sent to servers and robots.txt")
    timeout: timedelta = _duration(20, "longest wait for one network operation, in seconds")
    deadline: timedelta = _duration(60, "longest time for one request, each redirect apart, in seconds")
    extract_timeout: timedelta = _duration(30, "longest time to extract one page, in seconds")
    rules_dir: str = _setting(
        "", str, "folder with rules of single sites (TOML), before those of the package; see docs/rules.md"
    )
    extractor: str = _setting("news", reader_of_one("news", "trafilatura"), "who chooses the text; see docs/rules.md")
    keep_types: tuple[str, ...] = _setting(
        KEPT_TYPES, reader_of_some(*PAGE_TYPES), f"what is stored beside articles: some of {', '.join(PAGE_TYPES)}"
    )
    max_bytes: int = _setting(10 * 2**20, read_positive, "largest body after decompression, in bytes")
    max_redirects: int = _setting(8, read_count, "longest chain of redirects")
    proxy: str = _setting(
        "", read_proxy, "HTTP proxy for all requests, http://USER:PASSWORD@HOST:PORT; empty: none", secret=True
    )
    # When pages and feeds are asked again.
    max_attempts: int = _setting(5, read_positive, "fetches of a page without success before it is given up")
    retry_delay: timedelta = _duration(
        300, "pause before the first retry of a page, in seconds, doubled each time; of a feed 3 to 12 times as long"
    )
    poll_interval: timedelta = _duration(
        1800, "first pause between two polls of a feed, in seconds; adapted from then on"
    )
    min_poll_interval: timedelta = _duration(
        30, "shortest pause between two polls of a feed, in seconds; 300 where it cannot be asked conditionally"
    )
    max_poll_interval: timedelta = _duration(
        24 * 3600, "longest pause between two polls of a feed that works, in seconds"
    )
    revisits: tuple[timedelta, ...] = _setting(
        (timedelta(hours=1), timedelta(hours=24), timedelta(days=7)),
        read_seconds_list,
        "when to look at an article again, in seconds after publication, comma-separated; empty for never",
    )
    # What is kept.
    respect_opt_out: tuple[str, ...] = _setting(
        (),
        reader_of_some("noai", "noarchive", "noimageai", "tdm"),
        "signals whose pages are not kept, comma-separated: noai, noarchive, noimageai, tdm; none by default",
    )
    tdm_file: str = _setting(
        "on", reader_of_one("on", "off"), "on or off: whether each host is asked for its /.well-known/tdmrep.json"
    )
    archive_url: str = _setting(
        "auto",
        str,
        "where archived responses go: a folder, any fsspec address, or off; auto: raw/ beside a SQLite file, else off",
    )
    archive_spool: str = _setting(
        "news-spool",
        str,
        "folder for files of a remote archive, and, beside a server's database, for answers that are not stored yet",
    )
    archive_max_bytes: int = _setting(256 * 2**20, read_positive, "size at which a WARC file is full, in bytes")
    archive_max_age: timedelta = _duration(24 * 3600, "age at which a WARC file is full, in seconds")
    prune_polls: timedelta = _setting(
        timedelta(0), read_seconds, "age at which news prune forgets polls, in seconds; 0: never"
    )
    prune_raw: timedelta = _setting(
        timedelta(0), read_seconds, "age at which news prune removes archived responses, in seconds; 0: never"
    )
    prune_revisions: int = _setting(0, read_count, "revisions of an article that news prune leaves; 0: all")
    # Other services.
    robots_ttl: timedelta = _duration(24 * 3600, "how long a robots.txt or tdmrep.json is believed, in seconds")
    websub_callback: str = _setting(
        "", str, "public address that hubs reach `news websub serve` at; empty: WebSub is off"
    )
    wayback_url: str = _setting(
        "https://web.archive.org", str, "archive whose CDX index and copies `news backfill wayback` asks"
    )
    ccnews_url: str = _setting("https://data.commoncrawl.org", str, "where `news backfill ccnews` finds its listings")
    # Airflow.
    backfill_pool: str = _setting(
        "default_pool", str, "Airflow pool of the DAG backfill_archive; any other has to be made first"
    )
    export_dir: str = _setting("exports", str, "folder that the DAG export_daily writes its files into")
    # What `news check` reports: from where on it warns, and from where on it is critical; one number is both.
    check_last_run: Limits = _limits(2 * 3600, 6 * 3600, "seconds since the last poll or fetch, for `news check`")
    check_oldest_due: Limits = _limits(6 * 3600, 24 * 3600, "seconds that the oldest page that waits is overdue")
    check_failing_polls: Limits = _limits(0.2, 0.5, "share of the last day's polls that failed")
    check_failing_pages: Limits = _limits(0.3, 0.6, "share of the last day's pages that could not be had")
    check_gone_feeds: Limits = _limits(1, 10, "feeds that are gone")
    check_silent_feeds: Limits = _limits(1, 10, "feeds that were busy and have brought nothing for three days")
    check_gaps: Limits = _limits(1, 20, "polls of the last day before which entries were missed")
    check_damage: Limits = _limits(1, 100, "files of damaged bytes that were set aside, and files that are not there")
    check_disk: Limits = _limits(5 * 2**30, 2**30, "bytes free for database and archive: fewer are reported")
    check_clock: Limits = _limits(60, 600, "seconds by which clocks differ, or by which the archive is ahead of now")
    # Pages to look at.
    web_token: str = _setting("", str, "what readers of `news serve` must know, 16 characters at least", secret=True)
    web_hosts: tuple[str, ...] = _setting(
        (), read_name_list, "names that `news serve` may be asked by, comma-separated; those of this machine always may"
    )
    read_database_url: str = _setting(
        "", str, "the archive for pages that only read, as of a role that may only read; empty: as it is", secret=True
    )
    gate_dir: str = _setting("gate", str, "folder of the pages that `news gate` pins")
    # Metrics and logs.
    metrics_address: str = _setting("127.0.0.1:9464", str, "HOST:PORT where Prometheus can ask `news watch`, or off")
    alerts: Notifiers = _setting((), read_notifiers, "who is alerted by Airflow: docs/monitoring.md", secret=True)
    metrics_otlp: str = _setting("", str, "OpenTelemetry collector that runs report to, http://HOST:4318; empty: none")
    log_format: str = _setting("console", reader_of_one("console", "json"), "console or json")
    log_level: str = _setting(
        "warning", reader_of_one("debug", "info", "warning", "error"), "debug, info, warning or error"
    )

    @property
    def full_user_agent(self) -> str:
        """What is sent as ``User-Agent``: the product, and how to reach its operator where that is set."""
        return f"{self.user_agent} (+{self.contact})" if self.contact else self.user_agent

    @property
    def database_file(self) -> str | None:
        """The SQLite file of the archive; None where a server holds it."""
        scheme, _, path = self.database_url.partition(":///")
        file = path.partition("?")[0]
        return str(Path(file).expanduser()) if scheme.startswith("sqlite") and file not in ("", ":memory:") else None

    @property
    def archive_place(self) -> str | None:
        """Where archived responses are kept: a folder or an address of fsspec; None where they are not."""
        if self.archive_url != "auto":
            return None if self.archive_url.lower() == "off" else self.archive_url
        # Several machines may share a server, and none of their folders is the others'.
        return None if self.database_file is None else str(Path(self.database_file).parent / "raw")

    @property
    def journal_folder(self) -> str | None:
        """Folder of the response journal (`pipeline.fetch.response_journal`); None if it could not be found again.

        Beside a SQLite file, as its own journal; of a server's database below ``archive_spool``.
        """
        if self.database_url.startswith("sqlite"):
            return None if self.database_file is None else f"{self.database_file}-inbox"
        return str(Path(self.archive_spool) / f"inbox-{hashlib.sha256(self.database_url.encode()).hexdigest()[:12]}")

    @property
    def reading_options(self) -> dict[str, Any]:
        """How pages are read: what `pipeline.extract.PageInput` takes of the settings."""
        agent = self.user_agent.partition("/")[0]
        return {"rules_dir": self.rules_dir, "extractor": self.extractor, "kept_types": self.keep_types, "agent": agent}

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings, from the environment and from the files that it leads to.

        Raises:
            ConfigError: a file or a value cannot be read.
        """
        values: dict[str, object] = {}
        for name, given in read_sources(environ, _FIELDS)[0].items():
            try:
                values[name] = _FIELDS[name].metadata["read"](given.text)
            except (ValueError, OverflowError) as error:
                shown = shown_text(name, given.text) if _FIELDS[name].metadata["secret"] else given.text
                where = "" if given.source == "environment" else f"{given.source}: "
                raise ConfigError(f"{where}{given.name}={shown!r}: {error}") from error
        return cls(**values)  # type: ignore[arg-type]  # each reader returns its field's type

    def described(self, environ: Mapping[str, str]) -> list[tuple[str, str, str, str]]:
        """Rows of (variable, value, source, explanation) for ``news config``; passwords are masked."""
        given = read_sources(environ, _FIELDS)[0]
        return [
            (
                PREFIX + name.upper(),
                shown_value(name, getattr(self, name)),
                given[name].source if name in given else "default",
                declared.metadata["doc"],
            )
            for name, declared in _FIELDS.items()
        ]


_FIELDS = {declared.name: declared for declared in dataclasses.fields(Settings)}


def find_unknown_settings(environ: Mapping[str, str]) -> list[str]:
    """Return a warning for each name that is given as a setting but is none: a typing error would silently do nothing.

    Raises:
        ConfigError: a file that holds settings cannot be read.
    """
    return read_sources(environ, _FIELDS)[1]
