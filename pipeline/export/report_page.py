"""The archive at a glance: one HTML page that needs nothing else, with plots and the numbers beside them."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from importlib.resources import files
from typing import Any, Final

from pipeline.overview.plots import COLOURS, bars, lines, stacked
from pipeline.store.overview import FIELDS, Overview

SHOWN_SITES: Final = len(COLOURS) - 1
"""Sites with a colour of their own; the last colour is for all others."""

OTHERS: Final = "other sites"
_NOTHING: Final = '<p class="soft">Nothing yet.</p>'


def render(found: Overview, now: datetime) -> str:
    """The page, as well-formed XHTML that browsers read as HTML; it asks for nothing from anywhere.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    style = files("pipeline.overview").joinpath("style.css").read_text("utf-8")
    stretch = "The archive is empty" if found.begin is None else f"{found.begin:%Y-%m-%d} to {found.end:%Y-%m-%d %H:%M}"
    totals = "".join(f"<div><dt>{name}</dt><dd>{count:,}</dd></div>" for name, count in found.totals.items())
    parts = (_hours(found), _delays(found), _reasons(found), _feeds(found), _fill(found), _stories(found))
    return _clean(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>News archive, {now:%Y-%m-%d}</title><style>{style}</style></head><body>"
        f'<header><h1>News archive</h1><p class="soft">{stretch}. Times are UTC. Made {now:%Y-%m-%d %H:%M}.</p>'
        f"<dl>{totals}</dl></header><main>{''.join(parts)}</main></body></html>\n"
    )


def _hours(found: Overview) -> str:
    counts: dict[str, int] = {}
    for _, site, number in found.hours:
        counts[site] = counts.get(site, 0) + number
    sites = sorted(counts, key=lambda site: (-counts[site], site))
    text = "Articles by the hour in which they were first stored, and by source."
    if found.begin is None or found.end is None:
        return _section("Articles per hour and source", text, _NOTHING)
    # An archive that is younger than the stretch is shown from its first day on: its bars would be hairs.
    first = max(found.begin, datetime.fromisoformat(found.hours[0][0][:10]).replace(tzinfo=UTC))
    spans = int((found.end - first) / timedelta(hours=1)) + 1
    names = [f"{first + timedelta(hours=n):%Y-%m-%d %H}" for n in range(spans)]
    shown = sites[:SHOWN_SITES]
    series = {site: dict.fromkeys(names, 0) for site in (*shown, *([OTHERS] if len(sites) > len(shown) else []))}
    for hour, site, number in found.hours:
        series[site if site in shown else OTHERS][hour] += number
    # Days where there are several, else hours.
    is_long = spans > 2 * 24
    starts = [first + timedelta(hours=n) for n in range(spans)]
    labels = [f"{at:%d %b}" * (at.hour == 0) if is_long else f"{at:%H:%M}" for at in starts]
    busiest = max(names, key=lambda name: sum(values[name] for values in series.values()))
    told = f"{_some(sum(counts.values()), 'article')} of {_some(len(sites), 'source')};"
    told += f" the busiest hour began on {busiest}:00."
    plot = stacked(
        labels, {name: list(values.values()) for name, values in series.items()}, "Articles per hour and source", told
    )
    rows = [(name, sum(values.values())) for name, values in series.items()]
    return _section("Articles per hour and source", f"{text} {told}", _pair(plot, _table(("source", "articles"), rows)))


def _delays(found: Overview) -> str:
    title, total = "Delay from publication to storage", sum(number for _, number in found.delays)
    text = "How long after its publication, as the page or its feed says, an article was first stored."
    if not total:
        return _section(title, text, _NOTHING)
    soon = sum(number for _, number in found.delays[:4])
    told = f"{soon / total:.0%} of {_some(total, 'article')} within the hour."
    told += f" Of {found.undated:,} more the publication is not known." if found.undated else ""
    names, numbers = zip(*found.delays, strict=True)
    rows = [(name, number, f"{number / total:.0%}") for name, number in found.delays]
    table = _table(("delay", "articles", "share"), rows)
    return _section(title, f"{text} {told}", _pair(bars(names, numbers, title, told), table))


def _reasons(found: Overview) -> str:
    title, text = "Pages without an article, by reason", "All pages of the ledger; news status --why says what to do."
    if not found.reasons:
        return _section(title, text, _NOTHING)
    told = f"Most often {found.reasons[0][1]}: {_some(found.reasons[0][2], 'page')}."
    labels = [f"{reason} ({state})" for state, reason, _ in found.reasons]
    plot = bars(labels, [number for *_, number in found.reasons], title, told)
    return _section(title, f"{text} {told}", _pair(plot, _table(("state", "reason", "pages"), found.reasons)))


def _feeds(found: Overview) -> str:
    title = "Feed health"
    if not found.feed_states:
        return _section(title, "How feeds do now.", _NOTHING)
    told = ", ".join(f"{number} {state}" for state, number in found.feed_states.items())
    plot = bars(list(found.feed_states), list(found.feed_states.values()), title, f"Feeds: {told}.")
    states = _pair(plot, _table(("state", "feeds"), list(found.feed_states.items())))
    worst = [
        (
            feed["title"] or feed["url"],
            feed["state"],
            feed["polls"],
            feed["failed_polls"],
            feed["gaps"],
            feed["news_at"],
        )
        for feed in found.feeds
    ]
    heads = ("feed", "state", "polls", "failed", "gaps", "last news")
    caption = "Feeds with failed polls or missed entries (gaps) in the seven days up to the last poll"
    return _section(title, f"Feeds: {told}.", states + (_table(heads, worst, caption) if worst else ""))


def _fill(found: Overview) -> str:
    title, text = (
        "Fill rate of fields",
        "Share of each day's articles that have a field: a fall says that a layout changed.",
    )
    if not found.fill:
        return _section(title, text, _NOTHING)
    shares = {
        name.removesuffix("_at"): [filled[place] / total for _, total, filled in found.fill]
        for place, name in enumerate(FIELDS)
    }
    total = sum(number for _, number, _ in found.fill)
    whole = [(name, sum(filled[place] for *_, filled in found.fill) / total) for place, name in enumerate(shares)]
    told = "Over all days: " + ", ".join(f"{name} {share:.0%}" for name, share in whole) + "."
    rows = [(name, f"{share:.0%}", f"{shares[name][0]:.0%}", f"{shares[name][-1]:.0%}") for name, share in whole]
    plot = lines([f"{date.fromisoformat(day):%d %b}" for day, *_ in found.fill], shares, title, told)
    table = _table(("field", "all days", "first day", "last day"), rows)
    return _section(title, text, _pair(plot, table))


def _stories(found: Overview) -> str:
    title, text = (
        "Largest stories",
        "Articles of one text, or nearly so, on several pages: the first, and how far it went.",
    )
    if not found.stories:
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
        for story in found.stories
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
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    return _scroll(
        f"<table>{told}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>",
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
    """Without the control characters that neither HTML nor XML may hold: titles are what others wrote."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]", "", page)
