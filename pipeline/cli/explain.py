"""``news explain``: what every step makes of one page."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from pipeline.cli.archive import stored_copy
from pipeline.cli.coloured import coloured_page
from pipeline.cli.output import console, json_option, print_json, print_table, shown
from pipeline.cli.saved import read_saved
from pipeline.config import Settings
from pipeline.errors import ConfigError, FetchError
from pipeline.extract import Explanation, explain_article
from pipeline.fetch import ACCEPT_TEXT, Fetcher
from pipeline.model import Article, Response
from pipeline.robots import parse_robots, robots_text, robots_verdict
from pipeline.store.boilerplate import learned_texts
from pipeline.store.engine import open_engine, reading
from pipeline.urls import canonical_url, host_of, site_of


@click.command()
@click.argument("source", metavar="URL|FILE")
@click.option("--url", help="Address of the page in FILE; what it links to and its site are judged by it.")
@click.option("--stored", is_flag=True, help="Read the newest good raw copy of URL, without asking for it.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page that shows what was kept in green and what was removed in red, with the reasons.",
)
@json_option
@click.pass_obj
def explain(
    settings: Settings, source: str, url: str | None, stored: bool, page: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Run every step on one page and print what each returned; nothing is written.

    The page is fetched from URL, or read from FILE (.html, .html.gz).

    \b
    Examples:
      news explain https://example.org/2026/11/22/story.html
      news explain https://example.org/2026/11/22/story.html --stored
      news explain page.html.gz --url https://example.org/story --json
      news explain page.html --html why.html
    """
    try:
        if stored:
            fetched, robots = stored_copy(settings, source), None
        elif source.lower().startswith(("http://", "https://")):
            fetched, robots = asyncio.run(fetch_page(settings, source))
        else:
            fetched, robots = read_page(Path(source), url), None
        found = explain_article(
            fetched.body,
            canonical_url(fetched.url),
            charset=fetched.charset,
            fetched_at=fetched.fetched_at,
            rules_dir=settings.rules_dir,
            learned=_learned(settings, canonical_url(fetched.url)) if stored else None,
        )
    except ValueError as error:
        raise ConfigError(f"{source!r}: {error}") from error
    if page:
        page.write_text(coloured_page(found), encoding="utf-8")
        click.echo(f"{page} shows what was kept and what was removed", err=True)
    if as_json:
        print_json(_fetch_facts(fetched, robots) | _plain(found))
    elif not page:
        _print(fetched, robots, found)


def _learned(settings: Settings, url: str) -> frozenset[str]:
    """What the archive has learned to be boilerplate on the site of this page."""
    engine = open_engine(settings.database_url)
    try:
        with reading(engine) as connection:
            return learned_texts(connection, site_of(url))
    finally:
        engine.dispose()


async def fetch_page(settings: Settings, source: str) -> tuple[Response, str]:
    """The page at an address, and what robots.txt says of it."""
    url = canonical_url(source)
    async with Fetcher(settings) as fetcher:
        robots = await _robots(settings, fetcher, url)
        return await fetcher.get(url), robots


async def _robots(settings: Settings, fetcher: Fetcher, url: str) -> str:
    try:
        response = await fetcher.get(f"{url.partition(':')[0]}://{host_of(url)}/robots.txt", accept=ACCEPT_TEXT)
    except FetchError as error:
        return "allowed, there is none" if robots_verdict(error) == "allow_all" else f"unreachable ({error})"
    allowed = parse_robots(robots_text(response.body)).may_fetch(url, settings.user_agent)
    return "allowed" if allowed else "forbidden: a run would not fetch this page"


def read_page(path: Path, url: str | None) -> Response:
    """The page in a file, as if it had been fetched now from ``url``."""
    body = read_saved(path)
    address = canonical_url(url or f"http://localhost{path.resolve().as_posix()}")
    return Response(address, 200, {}, body, datetime.now(UTC), timedelta(0))


def _fetch_facts(fetched: Response, robots: str | None) -> dict[str, Any]:
    return {
        "robots": robots,
        "fetched": {
            "url": fetched.url,
            "status": fetched.status,
            "redirects": fetched.redirects,
            "content_type": fetched.content_type,
            "bytes": len(fetched.body),
            "seconds": round(fetched.elapsed.total_seconds(), 3),
        },
    }


def _plain(found: Explanation) -> dict[str, Any]:
    structured = found.structured
    return {
        "encoding": found.encoding,
        "structured": {
            "json_ld": len(structured.nodes),
            "article_type": structured.article_type,
            "article_body_words": len((structured.article_body or "").split()) or None,
            "meta": dict(structured.meta),
        },
        "metadata": asdict(found.metadata),
        "lines": [line._asdict() for line in found.lines],
        "rule": found.rule.origin if found.rule else None,
        "rescued": found.rescued,
        "verdict": asdict(found.verdict),
        "outcome": {name: value for name, value in asdict(found.outcome).items() if name != "blocks"},
    }


def _print(fetched: Response, robots: str | None, found: Explanation) -> None:
    out = console()
    facts = _fetch_facts(fetched, robots)["fetched"]
    _section("fetched")
    for name, value in facts.items():
        out.print(f"{name:14s}{shown(value)}", markup=False)
    if robots is not None:
        out.print(f"{'robots.txt':14s}{robots}", markup=False)
    _section("read")
    structured = found.structured
    out.print(f"{'encoding':14s}{found.encoding}", markup=False)
    out.print(
        f"{'JSON-LD':14s}{len(structured.nodes)} nodes, article: {structured.article_type or 'none'}", markup=False
    )
    out.print(f"{'meta':14s}{len(structured.meta)} names", markup=False)
    if found.rule:
        out.print(f"{'site rule':14s}{found.rule.origin}", markup=False)
    _section("metadata")
    sources = found.metadata.provenance
    rows = [
        (name, value, sources[name].source if name in sources else "")
        for name, value in asdict(found.metadata).items()
        if value and name not in {"provenance", "url"}
    ]
    print_table(("field", "value", "from"), rows)
    _section("paragraphs" + (f" (text taken from {found.rescued})" if found.rescued else ""))
    print_table(
        ("", "reason", "text"),
        (("kept" if line.reason is None else "removed", line.reason or "", line.text) for line in found.lines),
    )
    _section("outcome")
    outcome = found.outcome
    told = f"article, {outcome.word_count} words" if isinstance(outcome, Article) else f"none: {outcome.reason}"
    out.print(told, markup=False)
    verdict = found.verdict
    out.print(f"{'class':14s}{verdict.page_class}{': ' if verdict.evidence else ''}{verdict.evidence}", markup=False)
    out.print(f"{'url':14s}{outcome.url}", markup=False)


def _section(name: str) -> None:
    console().print(f"\n[bold]{name}[/bold]")
