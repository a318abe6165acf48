"""``news boilerplate``: show and overrule the boilerplate learned for a site."""

import re
from dataclasses import asdict
from datetime import UTC, datetime

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import print_facts, print_json, print_table
from pipeline.config import Settings
from pipeline.errors import NewsError
from pipeline.store.articles.learned_boilerplate import SiteBlock, find_block, judge_block, list_blocks, list_sites
from pipeline.store.connection.engine import open_archive, reading, write
from pipeline.text.recurrence import Verdict
from pipeline.urls import without_www

_KEY = re.compile(r"[0-9a-f]{16}")


@click.group()
def boilerplate_group() -> None:
    """Blocks that recur over the articles of a site, and so are removed as boilerplate (reason: recurring).

    Counted while crawling, in any language. What was learned wrongly can be overruled; `news reclean --site SITE`
    then applies it to what is stored. docs/boilerplate.md says how it is decided.
    """


@boilerplate_group.command("list")
@click.argument("site", required=False)
@click.option("--all", "counted", is_flag=True, help="Also what was seen several times and is taken for text.")
@json_option
@click.pass_obj
def boilerplate_list_command(settings: Settings, site: str | None, counted: bool, as_json: bool) -> None:
    """List what recurs on SITE, the most frequent first; without SITE the sites.

    STATE is learned, or kept or dropped where you have said so.

    \b
    Examples:
      news boilerplate list
      news boilerplate list example.org --all
    """
    with open_archive(settings) as engine, reading(engine) as connection:
        sites = list_sites(connection) if site is None else []
        blocks = list_blocks(connection, _site(site), counted=counted) if site is not None else []
    if site is None:
        names = ("site", "articles", "blocks", "learned")
        if as_json:
            print_json([dict(zip(names, row, strict=True)) for row in sites])
        else:
            print_table(names, sites)
    elif as_json:
        print_json([_block_as_dict(block) for block in blocks])
    else:
        rows = ((_hex(b.key), b.state, b.articles, b.days, f"{b.share:.0%}", b.text) for b in blocks)
        print_table(("key", "state", "articles", "days", "share", "text"), rows)


@boilerplate_group.command("show")
@click.argument("site")
@click.argument("block", metavar="KEY|TEXT")
@json_option
@click.pass_obj
def boilerplate_show_command(settings: Settings, site: str, block: str, as_json: bool) -> None:
    """Show what was counted of a block of SITE, given by its key or its text.

    \b
    Example:
      news boilerplate show example.org 3f0c5a7e91d2b846
    """
    key, text = _parse_key(block)
    with open_archive(settings) as engine, reading(engine) as connection:
        match = find_block(connection, _site(site), key, text)
    _print(match, site, block, as_json)


@boilerplate_group.command("keep")
@click.argument("site")
@click.argument("block", metavar="KEY|TEXT")
@click.option("--undo", is_flag=True, help="Leave it to the rule again.")
@json_option
@click.pass_obj
def boilerplate_keep_command(settings: Settings, site: str, block: str, undo: bool, as_json: bool) -> None:
    """Never remove this block of SITE, however often it recurs.

    \b
    Examples:
      news boilerplate keep example.org 3f0c5a7e91d2b846
      news boilerplate keep example.org "Why it matters to all of us"
    """
    _judge(settings, site, block, None if undo else "kept", as_json)


@boilerplate_group.command("drop")
@click.argument("site")
@click.argument("block", metavar="KEY|TEXT")
@click.option("--undo", is_flag=True, help="Leave it to the rule again.")
@json_option
@click.pass_obj
def boilerplate_drop_command(settings: Settings, site: str, block: str, undo: bool, as_json: bool) -> None:
    """Always remove this block of SITE, and what differs from it in numbers, dates and a word or two.

    \b
    Examples:
      news boilerplate drop example.org "Join our readers' club for 5 euros a month"
      news boilerplate drop example.org 3f0c5a7e91d2b846 --undo
    """
    _judge(settings, site, block, None if undo else "dropped", as_json)


def _judge(settings: Settings, site: str, block: str, verdict: Verdict | None, as_json: bool) -> None:
    key, text = _parse_key(block)
    with open_archive(settings) as engine:
        match = write(engine, judge_block, _site(site), key, text, verdict, datetime.now(UTC))
    _print(match, site, block, as_json)


def _site(site: str) -> str:
    return without_www(site.strip().lower())


def _parse_key(block: str) -> tuple[int | None, str | None]:
    """Return (key, None) if the argument is a key, else (None, text)."""
    if not _KEY.fullmatch(block):
        return None, block
    return int.from_bytes(bytes.fromhex(block), signed=True), None


def _hex(key: int) -> str:
    return key.to_bytes(8, signed=True).hex()


def _block_as_dict(block: SiteBlock) -> dict[str, object]:
    return asdict(block) | {"key": _hex(block.key)}


def _print(match: SiteBlock | None, site: str, block: str, as_json: bool) -> None:
    if match is None:
        raise NewsError(
            f"{site} has no block {block!r} of two words or more; `news boilerplate list {site}` shows them"
        )
    if as_json:
        print_json(_block_as_dict(match))
        return
    print_facts({name.replace("_", " "): value for name, value in _block_as_dict(match).items()}, 16)
