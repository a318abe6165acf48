"""When the article was published and last changed, by all that the page says of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pipeline.metadata.addresses import path_of
from pipeline.metadata.datelines import Found, Setting, read_printed
from pipeline.metadata.evidence import Candidate
from pipeline.metadata.moments import Moment
from pipeline.metadata.surroundings import Surroundings
from pipeline.metadata.tables import load_table
from pipeline.metadata.zones import in_zone
from pipeline.model import Precision, Provenance
from pipeline.structured import Structured

_IN_PATH = re.compile(
    r"/(?P<year>(?:19|20)\d\d)[-/]?(?P<month>0[1-9]|1[0-2]|[1-9](?=/))[-/]?(?P<day>0[1-9]|[12]\d|3[01]|[1-9](?=/))?(?![\d])"
)
_IN_SLUG = re.compile(r"(?<!\d)(?P<year>20[0-3]\d)[-_/](?P<month>0[1-9]|1[0-2])[-_/](?P<day>0[1-9]|[12]\d|3[01])(?!\d)")
_IN_ID = re.compile(r"(?<!\d)(?P<year>20[0-3]\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?=\d{4}|\D|$)")
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
    around: Surroundings, url: str, structured: Structured, setting: Setting, hint: datetime | None = None
) -> Times:
    """The times of the article. Costly sources are read only while the cheap ones say nothing."""
    published = list(_declared(structured, setting, "datePublished", "published"))
    modified = list(_declared(structured, setting, "dateModified", "modified"))
    from_url = _in_url(url, setting)
    if not published:
        published += _weak_declared(structured, setting)
    if not published or published[0].weight < 0.6:
        published += read_printed(around, setting, modified)
    elif _is_doubtful(published, modified, from_url):
        published += _as_printed(published, read_printed(around, setting, modified))
    if from_url:
        published.append(from_url)
    if hint:
        published.append(Candidate(Moment(hint, has_time=True), "feed", 0.6))
    if not published and modified:
        published = [Candidate(found.value, found.source, found.weight / 2) for found in modified[:1]]
    if not published:
        published = _searched(around, url, setting)
    if from_url:
        published += _local_form(published, from_url.value, around, setting)
    everything = [found.value for found in (*published, *modified)]
    return _conclude(published, modified, everything, setting)


def _declared(structured: Structured, setting: Setting, key: str, names: str) -> Iterator[Found]:
    for node in structured.articles:
        yield from _of_node(node, key, "json-ld", 0.9, setting)
    for name in load_table("meta")[names]:
        for value in structured.meta.get(name, ())[:1]:
            if moment := setting.read(value):
                yield Candidate(moment, name, 0.85 if name.startswith(("article:", "og:")) else 0.7)
    for value in structured.microdata.get(key.lower(), ())[:1]:
        if moment := setting.read(value):
            yield Candidate(moment, "microdata", 0.7)


def _weak_declared(structured: Structured, setting: Setting) -> Iterator[Found]:
    for node in structured.pages:
        yield from _of_node(node, "datePublished", "json-ld:page", 0.65, setting)
    for node in structured.articles:
        for key in ("dateCreated", "uploadDate"):
            yield from _of_node(node, key, "json-ld", 0.6, setting)


def _of_node(node: Mapping[str, Any], key: str, source: str, weight: float, setting: Setting) -> Iterator[Found]:
    value = node.get(key)
    value = value[0] if isinstance(value, list) and value else value
    value = value.get("@value") if isinstance(value, dict) else value
    if isinstance(value, str | int) and (moment := setting.read(str(value))):
        yield Candidate(moment, source, weight)


def _in_url(url: str, setting: Setting) -> Found | None:
    path = path_of(url)
    match = _IN_SLUG.search(path) or _IN_PATH.search(path) or _IN_ID.search(path)
    if match and match["day"]:
        moment = setting.read(f"{match['year']}-{int(match['month']):02}-{int(match['day']):02}")
        return Candidate(moment, "url", 0.5) if moment else None
    if match := _MONTH_PATH.search(path):
        moment = setting.read(f"{match['day']} {match['word']} {match['year']}")
        return Candidate(moment, "url", 0.5) if moment else None
    return None


def _is_doubtful(published: list[Found], modified: list[Found], from_url: Found | None) -> bool:
    """Whether the page declares several days for its publication, or no change after it.

    The latter holds for pages that were never changed, but some content management systems stamp both times anew at
    every export. What the address confirms is not doubted.
    """
    first = published[0].value
    if from_url and from_url.value.day == first.day:
        return False
    # A day more or less is the zone's doing, or the printed edition's.
    if any(abs(found.value.at.date() - first.at.date()) > timedelta(days=1) for found in published):
        return True
    return bool(modified) and all(
        found.value.at.replace(tzinfo=None) == first.at.replace(tzinfo=None)
        or found.value.day < first.day
        or (found.value.day == first.day and not first.has_time)
        for found in modified
    )


def _as_printed(published: list[Found], printed: list[Found]) -> list[Found]:
    """The declared time on the day that readers see, or else what they see, where that is an earlier day."""
    weight = max(found.weight for found in published) + 0.01
    for seen in printed:
        same = [found for found in published if found.value.day == seen.value.day]
        if same or seen.value.day < published[0].value.day:
            best = _pick(same) or seen
            return [Candidate(best.value, "+".join(dict.fromkeys((best.source, seen.source))), weight)]
    return []


def _local_form(published: list[Found], on: Moment, around: Surroundings, setting: Setting) -> list[Found]:
    """The publication in the site's own zone, where it is declared in UTC and the address has the day before or after.

    Some declare 03:05Z for what they print as 19:05 of the day before; a ``time`` element of the page has the offset.
    """
    best = _pick(published)
    if best is None or not best.value.has_zone or best.value.at.utcoffset() or best.value.day == on.day:
        return []
    for element in around.all_times():
        moment = setting.read(element.get("datetime") or "")
        if moment and moment.has_zone and moment.has_time:
            local = replace(best.value, at=best.value.at.astimezone(moment.at.tzinfo))
            if local.day == on.day:
                return [Candidate(local, "time", best.weight + 0.01)]
    return []


def _searched(around: Surroundings, url: str, setting: Setting) -> list[Found]:
    """What htmldate finds in the page without teasers, comments and footers.

    It takes longer than all the rest together, and half of what it finds where nothing else does is wrong.
    """
    from htmldate import find_date

    try:
        date = find_date(
            around.without_elsewhere(), url=url, original_date=True, outputformat="%Y-%m-%d", extensive_search=False
        )
    except Exception:  # noqa: BLE001  # htmldate meets hostile input here and may raise anything
        return []
    moment = setting.read(date) if date else None
    return [Candidate(moment, "search", 0.25)] if moment else []


def _conclude(published: list[Found], modified: list[Found], everything: list[Moment], setting: Setting) -> Times:
    first, last = _pick(published), _pick(modified)
    if first is None:
        return Times()

    def aware(moment: Moment) -> datetime:
        return in_zone(moment, everything, setting.host, setting.language_tag)

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


def _precision(moment: Moment) -> Precision:
    return "time" if moment.has_time else "day"


def _pick(found: list[Found]) -> Found | None:
    """The surest; of those that name its day, the one that knows most (a time, a zone)."""
    if not found:
        return None
    best = max(found, key=lambda candidate: candidate.weight)
    if best.value.is_ambiguous:
        swapped = (best.value.at.year, best.value.at.day, best.value.at.month)
        best = next((other for other in found if other.value.day == swapped), best)
    same = [other for other in found if other.value.day == best.value.day]
    return max(
        same, key=lambda other: (other.value.has_time, other.value.has_time and other is best, other.value.has_zone)
    )


def _explain(best: Found, found: list[Found]) -> Provenance:
    agreeing = [other for other in found if other.value.day == best.value.day]
    differing = [other for other in found if other.value.day != best.value.day]
    doubt = 1.0
    for other in agreeing:
        doubt *= 1 - other.weight
    return Provenance(
        source="+".join(dict.fromkeys((best.source, *(other.source for other in agreeing)))),
        confidence=round((1 - doubt) * (0.8 if differing else 1.0), 2),
        alternatives=tuple((other.source, other.value.at.isoformat()) for other in differing[:5]),
    )
