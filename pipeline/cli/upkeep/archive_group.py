"""``news archive``: looking at archived responses, and checking their files."""

from typing import Any

import click

from pipeline.cli.opening import open_with_raw, require_raw
from pipeline.cli.options import json_option
from pipeline.cli.output import print_columns, print_counts, print_json, write_document
from pipeline.cli.page_sources import list_copies
from pipeline.cli.progress import count_on_terminal
from pipeline.config import Settings, masked_url
from pipeline.store.articles.raw_index import count_copies
from pipeline.store.connection.engine import reading
from pipeline.upkeep.archive_check import check_archive
from pipeline.upkeep.raw_copies import read_archived_response


@click.group()
def archive_group() -> None:
    """Look at the archived responses, which NEWS_ARCHIVE_URL says where to keep."""


@archive_group.command("status")
@json_option
@click.pass_obj
def archive_status_command(settings: Settings, as_json: bool) -> None:
    """Where archived responses are kept, how many there are, and how much room they take.

    \b
    Example:
      news archive status
    """
    with open_with_raw(settings) as (engine, folder), reading(engine) as connection:
        counts = count_copies(connection)
    names = folder.names() if folder else []
    facts: dict[str, Any] = {
        "address": masked_url(folder.url) if folder else "off",
        "files_there": len(names),
        "bytes_there": sum(folder.size(name) for name in names) if folder else 0,
        "damage_set_aside": len(folder.names_aside()) if folder else 0,
    }
    if as_json:
        print_json(facts | counts)
        return
    print_counts("archive", facts)
    print_counts("copies", counts["copies"] | {"revisits": counts["revisits"], "in files": counts["files"]})
    print_counts("bytes", counts["bytes"])
    if counts["first"]:
        print_counts("fetched", {"from": counts["first"], "to": counts["last"]})
    if counts["to_be_removed"]:
        print_counts("dropped", {"to be removed": counts["to_be_removed"]})


@archive_group.command("check")
@click.option("--repair", is_flag=True, help="Set damage aside, note what was not noted, forget what is not there.")
@click.option("--forget-missing", is_flag=True, help="With --repair: forget the files even if all of them are gone.")
@json_option
@click.pass_obj
def archive_check_command(settings: Settings, repair: bool, forget_missing: bool, as_json: bool) -> None:
    """Read every file, and compare it with what is noted of it in SQL.

    A repair keeps every record that is whole; damaged bytes are moved to a file beside theirs. It refuses if none of
    the files is there, as when a share is not mounted. Removes what was dropped from files that were being written to
    at the time. Exit code 1 where something is wrong that was not repaired.

    \b
    Examples:
      news archive check
      news archive check --repair
    """
    if forget_missing and not repair:
        raise click.UsageError("--forget-missing goes with --repair")
    with (
        require_raw(settings) as (engine, folder),
        count_on_terminal(len(folder.names()), "files", quiet=as_json) as counter,
    ):
        files = check_archive(engine, folder, counter.advance, repair=repair, forget_missing=forget_missing)
    wrong = [file for file in files if file.is_wrong]
    if as_json:
        print_json([file.as_dict() for file in files])
    else:
        records = sum(file.records for file in files)
        print_counts("checked", {"files": len(files), "records": records, "wrong": len(wrong)})
        names = ("file", "state", "records", "torn", "damaged", "not_noted", "not_there")
        print_columns(names, [file.as_dict() for file in files if file.is_wrong or file.state != "finished"])
    if wrong and not repair:
        raise click.ClickException(f"{len(wrong)} files do not agree with what is noted; --repair mends that")


@archive_group.command("cat")
@click.argument("url")
@click.option("--list", "as_list", is_flag=True, help="List the copies instead of printing one.")
@click.option("--at", type=click.IntRange(min=1), default=1, show_default=True, help="Which copy, 1 is the newest.")
@click.option("--headers", is_flag=True, help="Print the status and headers of the answer before its body.")
@json_option
@click.pass_obj
def archive_cat_command(settings: Settings, url: str, as_list: bool, at: int, headers: bool, as_json: bool) -> None:
    """Print the archived response of a page or a feed, as it came but for its content codings.

    \b
    Examples:
      news archive cat https://example.org/2026/11/22/story.html > story.html
      news archive cat --list https://example.org/feed.xml
    """
    with require_raw(settings) as (engine, folder):
        rows = list_copies(engine, url)
        if as_json:
            print_json(rows)
            return
        if as_list:
            print_columns(("fetched_at", "status", "kind", "file", "file_offset", "file_length", "url"), rows)
            return
        if at > len(rows):
            raise click.ClickException(f"there are {len(rows)} archived responses of {url}")
        response = read_archived_response(engine, folder, rows[at - 1], settings.max_bytes)
    if headers:
        lines = [f"{response.status}", *(f"{name}: {value}" for name, value in response.headers.items()), "", ""]
        write_document("\r\n".join(lines).encode("utf-8", "surrogateescape"))
    write_document(response.body)
