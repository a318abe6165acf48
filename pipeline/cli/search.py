"""``news search``: find articles by their words."""

from dataclasses import asdict
from typing import Any

import click
from rich.text import Text

from pipeline.cli.output import console, json_option, print_json, shown
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.periods import read_period
from pipeline.store.engine import open_engine, reading
from pipeline.store.migrate import require_current
from pipeline.store.search import NEWEST, Found, Hit, Span
from pipeline.store.search import search as find


@click.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--since", help="Published from this day, month or time on, such as 2026-03 or 2026-03-05T12:00+01:00.")
@click.option("--until", help="Published before it.")
@click.option("--site", help="Only of this site, such as example.org.")
@click.option("--language", help="Only in this language: its ISO 639-1 code, such as en.")
@click.option("--limit", type=click.IntRange(1, NEWEST), default=20, show_default=True, help="Articles at most.")
@json_option
@click.pass_obj
def search(
    settings: Settings,
    query: tuple[str, ...],
    since: str | None,
    until: str | None,
    site: str | None,
    language: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Find articles by the words of their headlines and texts, the best first.

    \b
    harbour board            both words, anywhere
    "harbour board"          one after the other
    harbour OR port          either; brackets group
    harbour -board           the first, and not the second; also: harbour NOT board
    soleimani NEAR falluja   at most 10 words apart; NEAR/3: at most 3
    harb*                    words that begin so
    title:harbour            in the headline

    Case and accents make no difference. Of common words the newest 200 matches are ranked. Times without a zone are
    UTC. On PostgreSQL words are looked for in the forms of all languages: --language finds fewer and better.

    \b
    Examples:
      news search 'soleimani NEAR falluja'
      news search '"harbour board" -strike' --since 2026-11 --site example.org
      news search --json --language de 'title:hafen*' | jq -r '.[].url'
    """
    engine = open_engine(settings.database_url)
    require_current(engine)
    try:
        period = read_period(since, until)
    except ValueError as error:
        raise ConfigError(f"--since and --until: {error}") from error
    with reading(engine) as connection:
        found = find(
            connection,
            " ".join(query),
            since=period.since,
            until=period.until,
            site=site,
            language=language,
            limit=limit,
        )
    if as_json:
        print_json([_told(hit) for hit in found.hits])
        return
    for hit in found.hits:
        _print_hit(hit)
    click.echo(_summary(found), err=True)


def _summary(found: Found) -> str:
    if not found.matches:
        return "nothing was found"
    if found.is_all:
        return f"{len(found.hits)} of {found.matches} that match"
    return f"{len(found.hits)} of at least {found.matches} that match: the newest {found.matches} were ranked"


def _told(hit: Hit) -> dict[str, Any]:
    told = asdict(hit)
    for name in ("title", "snippet"):
        spans = getattr(hit, name)
        told[name] = "".join(span.text for span in spans)
        told[f"{name}_matches"] = [span.text for span in spans if span.is_match]
    return told


def _print_hit(hit: Hit) -> None:
    out = console()
    out.print(_marked(hit.title, "bold") if hit.title else Text("(no headline)", "dim"))
    facts = (hit.site, shown(hit.published_at), hit.language)
    out.print(" · ".join(fact for fact in facts if fact), markup=False, style="dim")
    out.print(_marked(hit.snippet, ""))
    out.print(hit.url, markup=False, style="blue")
    out.print()


def _marked(spans: tuple[Span, ...], style: str) -> Text:
    """The pieces, what matches in colour; without control characters, which a page must not send to a terminal."""
    text = Text()
    for span in spans:
        visible = "".join(char if char.isprintable() else " " for char in span.text)
        text.append(visible, style="bold yellow" if span.is_match else style)
    return text
