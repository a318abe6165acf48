"""When the article was published and last changed, by all that the page says of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pipeline.html.structured_data import Structured
from pipeline.metadata.data_files import load_table
from pipeline.metadata.datelines import DateCandidate, DateLocale, read_printed, read_scattered
from pipeline.metadata.evidence import FieldCandidate, explain_choice
from pipeline.metadata.headline_context import HeadlineContext
from pipeline.metadata.page_addresses import path_of
from pipeline.metadata.written_dates import WrittenDate
from pipeline.metadata.zones import in_zone
from pipeline.model import Precision, Provenance

_IN_PATH = re.compile(
    r"/(?P<year>(?:19|20)\d\d)[-/]?(?P<month>0[1-9]|1[0-2]|[1-9](?=/))[-/]?(?P<day>0[1-9]|[12]\d|3[01]|[1-9](?=/))?(?![\d])"
)
_IN_SLUG = re.compile(r"(?<!\d)(?P<year>20[0-3]\d)[-_/](?P<month>0[1-9]|1[0-2])[-_/](?P<day>0[1-9]|[12]\d|3[01])(?!\d)")
_IN_ID = re.compile(r"(?<!\d)(?P<year>20[0-3]\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?=\d{4}|\D|$)")
_IN_SLUG_DAY_FIRST = re.compile(r"(?<!\d)(?P<day>1[3-9]|2\d|3[01])-(?P<month>0[1-9]|1[0-2])-(?P<year>20[0-3]\d)(?!\d)")
# Meta elements that hold the creation or the last change as often as the publication: what is printed comes before.
_VAGUE = frozenset({"date", "dc.date", "dcterms.date", "dc:date", "created", "itemprop:datecreated", "timestamp"})
_MONTH_PATH = re.compile(r"/(?P<year>(?:19|20)\d\d)/(?P<word>[a-z]{3,9})/(?P<day>\d{1,2})/")


@dataclass(frozen=True, slots=True)
class Times:
    """Publication and last change, zone-aware, each with its precision and provenance."""

    published_at: datetime | None = None
    published_precision: Precision | None = None
    published_provenance: Provenance | None = None
    modified_at: datetime | None = None
    modified_precision: Precision | None = None
    modified_provenance: Provenance | None = None


def read_times(
    context: HeadlineContext, url: str, structured: Structured, locale: DateLocale, hint: datetime | None = None
) -> Times:
    """The times of the article. Costly sources are read only while the cheap ones say nothing."""
    published = list(_declared(structured, locale, "datePublished", "published"))
    modified = list(_declared(structured, locale, "dateModified", "modified"))
    from_url = _in_url(url, locale)
    if not published:
        published += _weak_declared(structured, locale)
    if not published or published[0].weight < 0.6:
        published += read_printed(context, locale, modified)
    elif _is_doubtful(published, modified, from_url):
        published += _as_printed(published, read_printed(context, locale, modified))
    if from_url:
        published.append(from_url)
    if hint:
        published.append(FieldCandidate(WrittenDate(hint, has_time=True), "feed", 0.6))
    if not published and modified:
        published = [FieldCandidate(change.value, change.source, change.weight / 2) for change in modified[:1]]
    if not published:
        published = read_scattered(context, locale) or _searched(context, url, locale)
    if from_url:
        published += _local_form(published, from_url.value, context, locale)
    everything = [candidate.value for candidate in (*published, *modified)]
    return _conclude(published, modified, everything, locale)


def _declared(structured: Structured, locale: DateLocale, key: str, names: str) -> Iterator[DateCandidate]:
    for node in structured.articles:
        yield from _of_node(node, key, "json-ld", 0.9, locale)
    for name in load_table("meta")[names]:
        for value in structured.meta.get(name, ())[:1]:
            if date := locale.read(value):
                weight = 0.85 if name.startswith(("article:", "og:")) else 0.45 if name in _VAGUE else 0.7
                yield FieldCandidate(date, name, weight)
    for value in structured.microdata.get(key.lower(), ())[:1]:
        if date := locale.read(value):
            yield FieldCandidate(date, "microdata", 0.7)


def _weak_declared(structured: Structured, locale: DateLocale) -> Iterator[DateCandidate]:
    for node in structured.pages:
        yield from _of_node(node, "datePublished", "json-ld:page", 0.65, locale)
    for node in structured.articles:
        for key in ("dateCreated", "uploadDate"):
            yield from _of_node(node, key, "json-ld", 0.6, locale)


def _of_node(
    node: Mapping[str, Any], key: str, source: str, weight: float, locale: DateLocale
) -> Iterator[DateCandidate]:
    value = node.get(key)
    value = value[0] if isinstance(value, list) and value else value
    value = value.get("@value") if isinstance(value, dict) else value
    if isinstance(value, str | int) and (date := locale.read(str(value))):
        yield FieldCandidate(date, source, weight)


def _in_url(url: str, locale: DateLocale) -> DateCandidate | None:
    path = path_of(url)
    match = _IN_SLUG.search(path) or _IN_SLUG_DAY_FIRST.search(path) or _IN_PATH.search(path) or _IN_ID.search(path)
    if match and match["day"]:
        date = locale.read(f"{match['year']}-{int(match['month']):02}-{int(match['day']):02}")
        return FieldCandidate(date, "url", 0.5) if date else None
    if match := _MONTH_PATH.search(path):
        date = locale.read(f"{match['day']} {match['word']} {match['year']}")
        return FieldCandidate(date, "url", 0.5) if date else None
    return None


def _is_doubtful(published: list[DateCandidate], modified: list[DateCandidate], from_url: DateCandidate | None) -> bool:
    """Whether the page declares several days for its publication, or no change after it.

    The latter holds for pages that were never changed, but some content management systems stamp both times again at
    every export. What the address confirms is not doubted.
    """
    first = published[0].value
    if from_url and from_url.value.day == first.day:
        return False
    # A day more or less is the zone's doing, or the printed edition's.
    if any(abs(date.value.at.date() - first.at.date()) > timedelta(days=1) for date in published):
        return True
    return bool(modified) and all(
        candidate.value.at.replace(tzinfo=None) == first.at.replace(tzinfo=None)
        or candidate.value.day < first.day
        or (candidate.value.day == first.day and not first.has_time)
        for candidate in modified
    )


def _as_printed(published: list[DateCandidate], printed: list[DateCandidate]) -> list[DateCandidate]:
    """The declared time on the day that readers see, or else what they see, where that is an earlier day."""
    weight = max(candidate.weight for candidate in published) + 0.01
    for seen in printed:
        same = [candidate for candidate in published if candidate.value.day == seen.value.day]
        if same or seen.value.day < published[0].value.day:
            best = _pick(same) or seen
            return [FieldCandidate(best.value, "+".join(dict.fromkeys((best.source, seen.source))), weight)]
    return []


def _local_form(
    published: list[DateCandidate], on: WrittenDate, context: HeadlineContext, locale: DateLocale
) -> list[DateCandidate]:
    """The publication in the site's own zone, where it is declared in UTC and the address has the day before or after.

    Some declare 03:05Z for what they print as 19:05 of the day before; a ``time`` element of the page has the offset.
    """
    best = _pick(published)
    if best is None or not best.value.has_zone or best.value.at.utcoffset() or best.value.day == on.day:
        return []
    for element in context.all_times():
        date = locale.read(element.get("datetime") or "")
        if date and date.has_zone and date.has_time:
            local = replace(best.value, at=best.value.at.astimezone(date.at.tzinfo))
            if local.day == on.day:
                return [FieldCandidate(local, "time", best.weight + 0.01)]
    return []


def _searched(context: HeadlineContext, url: str, locale: DateLocale) -> list[DateCandidate]:
    """What htmldate finds in the page without teasers, comments and footers.

    It takes longer than all the rest together, and half of what it finds where nothing else does is wrong.
    """
    from htmldate import find_date

    try:
        day = find_date(
            context.without_elsewhere(), url=url, original_date=True, outputformat="%Y-%m-%d", extensive_search=False
        )
    except Exception:  # noqa: BLE001  # htmldate meets hostile input here and may raise anything
        return []
    date = locale.read(day) if day else None
    return [FieldCandidate(date, "search", 0.25)] if date else []


def _conclude(
    published: list[DateCandidate], modified: list[DateCandidate], everything: list[WrittenDate], locale: DateLocale
) -> Times:
    first, last = _pick(published), _pick(modified)
    if first is None:
        return Times()

    def aware(date: WrittenDate) -> datetime:
        return in_zone(date, everything, locale.host, locale.language_tag)

    times = Times(aware(first.value), _precision(first.value), _explain(first, published))
    if last is None or aware(last.value) + timedelta(days=1) < (times.published_at or aware(last.value)):
        return times
    return Times(
        times.published_at,
        times.published_precision,
        times.published_provenance,
        aware(last.value),
        _precision(last.value),
        _explain(last, modified),
    )


def _precision(date: WrittenDate) -> Precision:
    return "time" if date.has_time else "day"


def _pick(candidates: list[DateCandidate]) -> DateCandidate | None:
    """The surest; of those that name its day, the one that knows most (a time, a zone)."""
    if not candidates:
        return None
    best = max(candidates, key=lambda candidate: candidate.weight)
    if best.value.is_ambiguous:
        swapped = (best.value.at.year, best.value.at.day, best.value.at.month)
        best = next((candidate for candidate in candidates if candidate.value.day == swapped), best)
    return max(
        (candidate for candidate in candidates if candidate.value.day == best.value.day),
        key=lambda same: (same.value.has_time, same.value.has_time and same is best, same.value.has_zone),
    )


def _explain(best: DateCandidate, candidates: list[DateCandidate]) -> Provenance:
    agreeing = [candidate for candidate in candidates if candidate.value.day == best.value.day]
    differing = [candidate for candidate in candidates if candidate.value.day != best.value.day]
    sources = [(best.source, 0.0), *((candidate.source, candidate.weight) for candidate in agreeing)]
    others = [(candidate.source, candidate.value.at.isoformat()) for candidate in differing]
    return explain_choice(sources, others, 0.8 if differing else 1.0)
