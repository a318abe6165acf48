"""``news boilerplate``: what was learned of a site to be boilerplate, and overruling it."""

import re
from dataclasses import asdict
from datetime import UTC, datetime

import click
import sqlalchemy as sa

from pipeline.cli.output import console, json_option, print_json, print_table, shown
from pipeline.config import Settings
from pipeline.errors import NewsError
from pipeline.recurrence import Verdict
from pipeline.store.boilerplate import SiteBlock, find_block, judge_block, list_blocks, list_sites
from pipeline.store.engine import open_engine, reading, write
from pipeline.store.migrate import require_current

_KEY = re.compile(r"[0-9a-f]{16}")


@click.group()
def boilerplate() -> None:
    """Blocks that recur over the articles of a site, and so are removed as boilerplate (reason: recurring).

    Counted while crawling, in any language. What was learned wrongly can be overruled; `news reclean --site SITE`
    then applies it to what is stored. docs/boilerplate.md says how it is decided.
    """


@boilerplate.command("list")
@click.argument("site", required=False)
@click.option("--all", "counted", is_flag=True, help="Also what was seen several times and is taken for text.")
@json_option
@click.pass_obj
def list_(settings: Settings, site: str | None, counted: bool, as_json: bool) -> None:
    """List what recurs on SITE, the most frequent first; without SITE the sites.

    STATE is learned, or kept or dropped where you have said so.

    \b
    Examples:
      news boilerplate list
      news boilerplate list example.org --all
    """
    engine = _engine(settings)
    if site is None:
        with reading(engine) as connection:
            sites = list_sites(connection)
        names = ("site", "articles", "blocks", "learned")
        if as_json:
            print_json([dict(zip(names, row, strict=True)) for row in sites])
        else:
            print_table(names, sites)
        return
    with reading(engine) as connection:
        blocks = list_blocks(connection, _site(site), counted=counted)
    if as_json:
        print_json([_plain(block) for block in blocks])
    else:
        rows = ((_hex(one.key), one.state, one.articles, one.days, f"{one.share:.0%}", one.text) for one in blocks)
        print_table(("key", "state", "articles", "days", "share", "text"), rows)


@boilerplate.command("show")
@click.argument("site")
@click.argument("block", metavar="KEY|TEXT")
@json_option
@click.pass_obj
def show(settings: Settings, site: str, block: str, as_json: bool) -> None:
    """Show what was counted of a block of SITE, given by its key or its text.

    \b
    Example:
      news boilerplate show example.org 3f0c5a7e91d2b846
    """
    key, text = _meant(block)
    with reading(_engine(settings)) as connection:
        found = find_block(connection, _site(site), key, text)
    _print(_there(found, site, block), as_json)


@boilerplate.command()
@click.argument("site")
@click.argument("block", metavar="KEY|TEXT")
@click.option("--undo", is_flag=True, help="Leave it to the rule again.")
@json_option
@click.pass_obj
def keep(settings: Settings, site: str, block: str, undo: bool, as_json: bool) -> None:
    """Never remove this block of SITE, however often it recurs.

    \b
    Examples:
      news boilerplate keep example.org 3f0c5a7e91d2b846
      news boilerplate keep example.org "Why it matters to all of us"
    """
    _judge(settings, site, block, None if undo else "kept", as_json)


@boilerplate.command()
@click.argument("site")
@click.argument("block", metavar="KEY|TEXT")
@click.option("--undo", is_flag=True, help="Leave it to the rule again.")
@json_option
@click.pass_obj
def drop(settings: Settings, site: str, block: str, undo: bool, as_json: bool) -> None:
    """Always remove this block of SITE, and what differs from it in numbers, dates and a word or two.

    \b
    Examples:
      news boilerplate drop example.org "Join our readers' club for 5 euros a month"
      news boilerplate drop example.org 3f0c5a7e91d2b846 --undo
    """
    _judge(settings, site, block, None if undo else "dropped", as_json)


def _judge(settings: Settings, site: str, block: str, verdict: Verdict | None, as_json: bool) -> None:
    key, text = _meant(block)
    found = write(_engine(settings), judge_block, _site(site), key, text, verdict, datetime.now(UTC))
    _print(_there(found, site, block), as_json)


def _engine(settings: Settings) -> sa.Engine:
    engine = open_engine(settings.database_url)
    require_current(engine)
    return engine


def _site(site: str) -> str:
    return site.strip().lower().removeprefix("www.")


def _meant(block: str) -> tuple[int | None, str | None]:
    """The key, or else the text, that was given."""
    if not _KEY.fullmatch(block):
        return None, block
    return int.from_bytes(bytes.fromhex(block), signed=True), None


def _hex(key: int) -> str:
    return key.to_bytes(8, signed=True).hex()


def _there(found: SiteBlock | None, site: str, block: str) -> SiteBlock:
    if found is None:
        raise NewsError(
            f"{site} has no block {block!r} of two words or more; `news boilerplate list {site}` shows them"
        )
    return found


def _plain(block: SiteBlock) -> dict[str, object]:
    return asdict(block) | {"key": _hex(block.key)}


def _print(block: SiteBlock, as_json: bool) -> None:
    if as_json:
        print_json(_plain(block))
        return
    for name, value in _plain(block).items():
        console().print(f"{name.replace('_', ' '):16s}{shown(value)}", markup=False)
