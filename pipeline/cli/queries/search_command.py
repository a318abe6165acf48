"""``news search``: find articles by their words."""

from dataclasses import asdict
from typing import Any

import click
from rich.text import Text
from sqlalchemy.engine import Connection

from pipeline.cli.options import json_option, parse_period
from pipeline.cli.output import as_text, format_value, print_json, print_line, print_table, report_line
from pipeline.config import Settings
from pipeline.store.connection.engine import open_archive, reading
from pipeline.store.search import NEWEST, Hit, SearchResults, TextSpan
from pipeline.store.search import search_articles as find
from pipeline.store.search.counts import CountBy, count_matches


@click.command()
@click.argument("query", nargs=-1, required=True)
@click.option("--since", help="Published from then on, in UTC: 2026-03, 2026-03-05 or 2026-03-05T12:00+01:00.")
@click.option("--until", help="Published before it.")
@click.option("--site", help="Only of this site, such as example.org.")
@click.option("--language", help="Only in this language: its ISO 639-1 code, such as en.")
@click.option("--limit", type=click.IntRange(1, NEWEST), default=20, show_default=True, help="Articles at most.")
@click.option(
    "--count-by", type=click.Choice(["month", "site", "language", "feed"]), help="Print how many match, of all."
)
@json_option
@click.pass_obj
def search_command(
    settings: Settings,
    /,
    query: tuple[str, ...],
    count_by: CountBy | None,
    limit: int,
    as_json: bool,
    **filters: Any,  # noqa: ANN401  # since, until, site and language
) -> None:
    """Find articles by the words of their headlines and texts, the best first.

    \b
    harbour board            both words, anywhere
    "harbour board"          one after the other
    harbour OR port          either; brackets group
    harbour -board           the first, and not the second; also: harbour NOT board
    soleimani NEAR falluja   at most 10 words apart; NEAR/3: at most 3
    harb*                    words that begin so
    title:harbour            in the headline; also author:ruiz, site:one.example, language:de
    after:2026-11-03         also before:, published:2026-11; feed:12 or feed:sport

    Case, accents and the like make no difference. Of common words the newest 200 matches are ranked.

    \b
    Examples:
      news search 'soleimani NEAR falluja'
      news search '"harbour board" -strike' --since 2026-11 --site example.org
      news search --json --language de 'title:hafen*' | jq -r '.[].url'
      news search --count-by month 'harbour author:ruiz after:2026'
    """
    period = parse_period(filters["since"], filters["until"])
    filters |= {"since": period.since, "until": period.until}
    with open_archive(settings) as engine, reading(engine) as connection:
        if count_by:
            _count(connection, " ".join(query), count_by, filters, as_json=as_json)
            return
        results = find(connection, " ".join(query), limit=limit, **filters)
    _print_hits(results, as_json=as_json)


def _count(connection: Connection, query: str, by: CountBy, given: dict[str, Any], *, as_json: bool) -> None:
    counted = count_matches(connection, query, by, **given)
    if as_json:
        counts = [{by: key, "articles": count} for key, count in counted.counts]
        print_json({"total": counted.total, "counts": counts})
        return
    print_table([by, "articles"], counted.counts)
    report_line(f"{counted.total} that match")


def _print_hits(results: SearchResults, *, as_json: bool) -> None:
    if as_json:
        print_json([_hit_as_dict(hit) for hit in results.hits])
        return
    for hit in results.hits:
        _print_hit(hit)
    report_line(_summary(results))


def _summary(results: SearchResults) -> str:
    if not results.matches:
        return "nothing was found"
    if results.is_all:
        return f"{len(results.hits)} of {results.matches} that match"
    return f"{len(results.hits)} of at least {results.matches} that match: the newest {results.matches} were ranked"


def _hit_as_dict(hit: Hit) -> dict[str, Any]:
    facts = asdict(hit)
    for name in ("title", "snippet"):
        spans = getattr(hit, name)
        facts[name] = "".join(span.text for span in spans)
        facts[f"{name}_matches"] = [span.text for span in spans if span.is_match]
    return facts


def _print_hit(hit: Hit) -> None:
    print_line(_mark_matches(hit.title, "bold") if hit.title else as_text("(no headline)", "dim"))
    facts = (hit.site, format_value(hit.published_at), hit.language)
    print_line(" · ".join(fact for fact in facts if fact), style="dim")
    print_line(_mark_matches(hit.snippet, ""))
    print_line(as_text(hit.url, "blue"))
    print_line()


def _mark_matches(spans: tuple[TextSpan, ...], style: str) -> Text:
    text = Text()
    for span in spans:
        text.append_text(as_text(span.text.replace("\n", " "), "bold yellow" if span.is_match else style))
    return text
