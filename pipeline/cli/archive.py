"""``news archive``: the raw copies, looked at and checked."""

import sys
from typing import Any

import click
from sqlalchemy.engine import Engine

from pipeline.cli.output import json_option, print_counts, print_json, print_table
from pipeline.cli.upkeep import bar, kept, open_archive
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.model import Response
from pipeline.store.engine import reading
from pipeline.store.raw import copies_of, count_copies
from pipeline.upkeep.check import check as check_all
from pipeline.upkeep.copies import read_copy
from pipeline.urls import canonical_url


@click.group()
def archive() -> None:
    """Look at the raw copies, which NEWS_ARCHIVE_URL says where to keep."""


@archive.command()
@json_option
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Where raw copies are kept, how many there are, and how much room they take.

    \b
    Example:
      news archive status
    """
    engine, place = open_archive(settings)
    with reading(engine) as connection:
        found = count_copies(connection)
    names = place.names() if place else []
    facts: dict[str, Any] = {
        "address": place.url if place else "off",
        "files_there": len(names),
        "bytes_there": sum(place.size(name) for name in names) if place else 0,
    }
    if as_json:
        print_json(facts | found)
        return
    print_counts("archive", facts)
    print_counts("copies", found["copies"] | {"revisits": found["revisits"], "in files": found["files"]})
    print_counts("bytes", found["bytes"])
    if found["first"]:
        print_counts("fetched", {"from": found["first"], "to": found["last"]})
    if found["to_be_removed"]:
        print_counts("dropped", {"to be removed": found["to_be_removed"]})


@archive.command()
@click.option("--repair", is_flag=True, help="Cut torn tails off, note what was not noted, forget what is not there.")
@json_option
@click.pass_obj
def check(settings: Settings, repair: bool, as_json: bool) -> None:
    """Read every file, and compare it with what is noted of it in SQL.

    Removes what was dropped from files that were being written to at the time. Exit code 1 where something is wrong
    that was not repaired.

    \b
    Examples:
      news archive check
      news archive check --repair
    """
    engine, place = kept(settings)
    with bar(len(place.names()), "files", quiet=as_json) as shown:
        found = check_all(engine, place, repair, lambda file: shown.advance(shown.task_ids[0]) if shown else None)
    wrong = [one for one in found if one.is_wrong]
    if as_json:
        print_json([one.as_dict() for one in found])
    else:
        records = sum(one.records for one in found)
        print_counts("checked", {"files": len(found), "records": records, "wrong": len(wrong)})
        names = ("file", "state", "records", "torn", "damaged", "not_noted", "not_there")
        told = [one.as_dict() for one in found if one.is_wrong or one.state != "finished"]
        if told:
            print_table([name.replace("_", " ") for name in names], ([one[name] for name in names] for one in told))
    if wrong and not repair:
        raise click.ClickException(f"{len(wrong)} files do not agree with what is noted; --repair mends that")


@archive.command()
@click.argument("url")
@click.option("--list", "as_list", is_flag=True, help="List the copies instead of printing one.")
@click.option("--at", type=click.IntRange(min=1), default=1, show_default=True, help="Which copy, 1 is the newest.")
@click.option("--headers", is_flag=True, help="Print the status and headers of the answer before its body.")
@json_option
@click.pass_obj
def cat(settings: Settings, url: str, as_list: bool, at: int, headers: bool, as_json: bool) -> None:
    """Print the raw copy of a page or a feed, as it came but for its content codings.

    \b
    Examples:
      news archive cat https://example.org/2026/11/22/story.html > story.html
      news archive cat --list https://example.org/feed.xml
    """
    engine, place = kept(settings)
    rows = _copies(engine, url)
    if as_list or as_json:
        names = ("fetched_at", "status", "kind", "file", "file_offset", "file_length", "url")
        if as_json:
            print_json(rows)
        else:
            print_table([name.replace("_", " ") for name in names], ([row[name] for name in names] for row in rows))
        return
    if at > len(rows):
        raise click.ClickException(f"there are {len(rows)} raw copies of {url}")
    response = read_copy(engine, place, rows[at - 1], settings.max_bytes)
    if headers:
        lines = [f"{response.status}", *(f"{name}: {value}" for name, value in response.headers.items()), "", ""]
        sys.stdout.buffer.write("\r\n".join(lines).encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.write(response.body)
    sys.stdout.buffer.flush()


def _copies(engine: Engine, url: str) -> list[dict[str, Any]]:
    try:
        canonical = canonical_url(url)
    except ValueError as error:
        raise ConfigError(f"{url!r}: {error}") from error
    with reading(engine) as connection:
        rows = copies_of(connection, canonical) or copies_of(connection, url)
    if not rows:
        raise click.ClickException(f"there is no raw copy of {url}")
    return rows


def stored_copy(settings: Settings, url: str) -> Response:
    """The newest good raw copy of a page.

    Raises:
        ConfigError: none are kept.
        ArchiveError: it cannot be read.
        ClickException: there is none.
    """
    engine, place = kept(settings)
    good = [row for row in _copies(engine, url) if 200 <= row["status"] < 300]
    if not good:
        raise click.ClickException(f"there is no raw copy of {url} but of errors and redirects")
    return read_copy(engine, place, good[0], settings.max_bytes)
