"""The archive at a glance: one HTML page that needs nothing else, with plots and the numbers beside them."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from importlib.resources import files
from typing import Any, Final

from pipeline.export.plots import COLOURS, bars, lines, stacked
from pipeline.store.queries.report_data import FIELDS, ReportData
from pipeline.store.search.counts import MatchCounts
from pipeline.text.control_characters import show_controls

SHOWN_SITES: Final = len(COLOURS) - 1
"""Sites with a colour of their own; the last colour is for all others."""

OTHERS: Final = "other sites"
_NOTHING: Final = '<p class="soft">Nothing yet.</p>'


def render_report(facts: ReportData, now: datetime, matches: tuple[str, MatchCounts, MatchCounts] | None = None) -> str:
    """The page, as well-formed XHTML that browsers read as HTML; it asks for nothing from anywhere.

    A search, with its matches by month and by site, comes first where it is given.

    Raises ConfigError: matplotlib is not installed.
    """
    style = files("pipeline.export").joinpath("report.css").read_text("utf-8")
    stretch = "The archive is empty" if facts.begin is None else f"{facts.begin:%Y-%m-%d} to {facts.end:%Y-%m-%d %H:%M}"
    totals = "".join(f"<div><dt>{name}</dt><dd>{count:,}</dd></div>" for name, count in facts.totals.items())
    parts = (
        _search(*matches) if matches else "",
        _hours(facts),
        _delays(facts),
        _reasons(facts),
        _feeds(facts),
        _fill(facts),
        _stories(facts),
    )
    return _clean(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>News archive, {now:%Y-%m-%d}</title><style>{style}</style></head><body>"
        f'<header><h1>News archive</h1><p class="soft">{stretch}. Times are UTC. Made {now:%Y-%m-%d %H:%M}.</p>'
        f"<dl>{totals}</dl></header><main>{''.join(parts)}</main></body></html>\n"
    )


def _search(query: str, by_month: MatchCounts, by_site: MatchCounts) -> str:
    title, sites = f"Articles that match: {query}", sorted(by_site.counts, key=lambda site: -site[1])[:15]
    if not by_month.total:
        return _section(title, "By month and site.", _NOTHING)
    counts = {month: count for month, count in by_month.counts if month}
    first, last = ((int(month[:4]) * 12 + int(month[5:]) - 1) for month in (min(counts), max(counts)))
    months = [f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(first, last + 1)]
    text = f"{_some(by_month.total, 'article')} of {_some(len(by_site.counts), 'site')}, undated ones by first sight."
    plot = stacked(months, {"articles": [counts.get(month, 0) for month in months]}, "Matches by month", text)
    names = [(site or "–", count) for site, count in sites]
    of_sites = bars([name for name, _ in names], [count for _, count in names], "Matches by site", text)
    return _section(
        title,
        text,
        _pair(plot, _table(("month", "articles"), sorted(counts.items())))
        + _pair(of_sites, _table(("site", "articles"), names)),
    )


def _hours(facts: ReportData) -> str:
    counts: dict[str, int] = {}
    for _, site, number in facts.hours:
        counts[site] = counts.get(site, 0) + number
    sites = sorted(counts, key=lambda site: (-counts[site], site))
    text = "Articles by the hour in which they were first stored, and by source."
    if facts.begin is None or facts.end is None:
        return _section("Articles per hour and source", text, _NOTHING)
    # An archive that is younger than the stretch is shown from its first day on: its bars would be hairs.
    first = max(facts.begin, datetime.fromisoformat(facts.hours[0][0][:10]).replace(tzinfo=UTC))
    spans = int((facts.end - first) / timedelta(hours=1)) + 1
    names = [f"{first + timedelta(hours=n):%Y-%m-%d %H}" for n in range(spans)]
    shown = sites[:SHOWN_SITES]
    series = {site: dict.fromkeys(names, 0) for site in (*shown, *([OTHERS] if len(sites) > len(shown) else []))}
    for hour, site, number in facts.hours:
        series[site if site in shown else OTHERS][hour] += number
    # Days where there are several, else hours.
    is_long = spans > 2 * 24
    starts = [first + timedelta(hours=n) for n in range(spans)]
    labels = [f"{start:%d %b}" * (start.hour == 0) if is_long else f"{start:%H:%M}" for start in starts]
    busiest = max(names, key=lambda name: sum(values[name] for values in series.values()))
    summary = f"{_some(sum(counts.values()), 'article')} of {_some(len(sites), 'source')};"
    summary += f" the busiest hour began on {busiest}:00."
    plot = stacked(
        labels,
        {name: list(values.values()) for name, values in series.items()},
        "Articles per hour and source",
        summary,
    )
    rows = [(name, sum(values.values())) for name, values in series.items()]
    return _section(
        "Articles per hour and source", f"{text} {summary}", _pair(plot, _table(("source", "articles"), rows))
    )


def _delays(facts: ReportData) -> str:
    title, total = "Delay from publication to storage", sum(number for _, number in facts.delays)
    text = "How long after its publication, as the page or its feed says, an article was first stored."
    if not total:
        return _section(title, text, _NOTHING)
    soon = sum(number for _, number in facts.delays[:4])
    summary = f"{soon / total:.0%} of {_some(total, 'article')} within the hour."
    summary += f" Of {facts.undated:,} more the publication is not known." if facts.undated else ""
    names, numbers = zip(*facts.delays, strict=True)
    rows = [(name, number, f"{number / total:.0%}") for name, number in facts.delays]
    table = _table(("delay", "articles", "share"), rows)
    return _section(title, f"{text} {summary}", _pair(bars(names, numbers, title, summary), table))


def _reasons(facts: ReportData) -> str:
    title, text = "Pages without an article, by reason", "All pages of the ledger; news status --why says what to do."
    if not facts.reasons:
        return _section(title, text, _NOTHING)
    summary = f"Most often {facts.reasons[0][1]}: {_some(facts.reasons[0][2], 'page')}."
    labels = [f"{reason} ({state})" for state, reason, _ in facts.reasons]
    plot = bars(labels, [number for *_, number in facts.reasons], title, summary)
    return _section(title, f"{text} {summary}", _pair(plot, _table(("state", "reason", "pages"), facts.reasons)))


def _feeds(facts: ReportData) -> str:
    title = "Feed health"
    if not facts.feed_states:
        return _section(title, "How feeds do now.", _NOTHING)
    summary = ", ".join(f"{number} {state}" for state, number in facts.feed_states.items())
    plot = bars(list(facts.feed_states), list(facts.feed_states.values()), title, f"Feeds: {summary}.")
    states = _pair(plot, _table(("state", "feeds"), list(facts.feed_states.items())))
    worst = [
        (
            feed["title"] or feed["url"],
            feed["state"],
            feed["polls"],
            feed["failed_polls"],
            feed["gaps"],
            feed["news_at"],
        )
        for feed in facts.feeds
    ]
    heads = ("feed", "state", "polls", "failed", "gaps", "last news")
    caption = "Feeds with failed polls or missed entries (gaps) in the seven days up to the last poll"
    return _section(title, f"Feeds: {summary}.", states + (_table(heads, worst, caption) if worst else ""))


def _fill(facts: ReportData) -> str:
    title, text = (
        "Fill rate of fields",
        "Share of each day's articles that have a field: a fall says that a layout changed.",
    )
    if not facts.fill:
        return _section(title, text, _NOTHING)
    shares = {
        name.removesuffix("_at"): [filled[index] / total for _, total, filled in facts.fill]
        for index, name in enumerate(FIELDS)
    }
    total = sum(number for _, number, _ in facts.fill)
    whole = [(name, sum(filled[index] for *_, filled in facts.fill) / total) for index, name in enumerate(shares)]
    summary = "Over all days: " + ", ".join(f"{name} {share:.0%}" for name, share in whole) + "."
    rows = [(name, f"{share:.0%}", f"{shares[name][0]:.0%}", f"{shares[name][-1]:.0%}") for name, share in whole]
    plot = lines([f"{date.fromisoformat(day):%d %b}" for day, *_ in facts.fill], shares, title, summary)
    table = _table(("field", "all days", "first day", "last day"), rows)
    return _section(title, text, _pair(plot, table))


def _stories(facts: ReportData) -> str:
    title, text = (
        "Largest stories",
        "Articles of one text, or nearly so, on several pages: the first, and how far it went.",
    )
    if not facts.stories:
        return _section(title, text, _NOTHING)
    rows = [
        (
            story["title"] or story["url"],
            story["site"],
            story["agency"],
            story["articles"],
            story["sites"],
            story["first_seen_at"],
        )
        for story in facts.stories
    ]
    return _section(title, text, _table(("story", "first on", "agency", "articles", "sites", "first stored"), rows))


def _some(number: int, name: str) -> str:
    """So many of these: ``1 page``, ``2,000 pages``."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _section(title: str, text: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{content}</section>"


def _pair(plot: str, table: str) -> str:
    return f'<div class="pair">{_scroll(plot, "plot")}{table}</div>'


def _scroll(content: str, name: str) -> str:
    """A place that scrolls by itself where it is too narrow, also by the keyboard."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">{content}</div>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> str:
    listed = list(rows)
    right = [bool(listed) and _is_number(value) for value in listed[0]] if listed else [False] * len(heads)
    head = "".join(
        f'<th scope="col"{_kind(number)}>{escape(name)}</th>' for name, number in zip(heads, right, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{_kind(number)}>{_shown(value)}</td>" for value, number in zip(row, right, strict=True))
        + "</tr>"
        for row in listed
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return _scroll(
        f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
        escape(caption or f"table of {heads[0]}"),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and bool(re.fullmatch(r"\d+%", value)))


def _kind(is_number: bool) -> str:
    return ' class="number"' if is_number else ""


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def _clean(page: str) -> str:
    """Without what neither HTML nor XML may hold, and with controls as escapes: titles are what others wrote."""
    return re.sub("[\ufffe\uffff]", "", show_controls(page, multiline=True))
