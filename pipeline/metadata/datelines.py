"""Dates as readers see them: beside the headline, in ``time`` elements, in elements named after dates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice

from lxml.etree import _Element

from pipeline.html.xpath import text_of
from pipeline.metadata.data_files import load_table
from pipeline.metadata.evidence import FieldCandidate
from pipeline.metadata.headline_context import LONG_LINE, HeadlineContext
from pipeline.metadata.written_dates import WrittenDate, parse_written_date

DateCandidate = FieldCandidate[WrittenDate]
_SENTENCE = 6  # words, and a full stop: dates are printed with fewer
_FIRST = 2  # paragraphs that may begin with a dateline
_MAX_DATELINE = 90  # characters
_DATELINE = re.compile(r"[^.!?|]{0,40}?\d{1,4}[.\s/年-]{1,3}\w{1,12}[.\s,/月-]{1,3}\d{2,4}日?[^.|–—-]{0,20}\s?[|–—:(-]")
_NEAR_UPDATE = 6  # pieces of text between an update and the publication, where both are printed


@dataclass(frozen=True, slots=True)
class DateLocale:
    """What dates are read by: the page's language, its host, and the time after which no date can lie."""

    language: str | None
    language_tag: str | None
    host: str
    latest: datetime | None

    def read(self, text: str) -> WrittenDate | None:
        """The date in the text, if it can be one of this page."""
        date = parse_written_date(text, self.language, month_first=self._month_first)
        if date and self.latest and date.at.replace(tzinfo=None) > self.latest.replace(tzinfo=None):
            return None
        return date

    @property
    def _month_first(self) -> bool:
        """American pages write 05/03/2024 for the third of May; English ones elsewhere mostly do not."""
        tag = (self.language_tag or "").replace("_", "-").lower()
        if self.host.endswith((".uk", ".au", ".nz", ".ie", ".in", ".za", ".ca")):
            return False
        return tag in {"en-us", "en", ""} and self.language in {"en", None}


def read_printed(context: HeadlineContext, locale: DateLocale, modified: list[DateCandidate]) -> list[DateCandidate]:
    """The date as readers see it: near the headline, in time elements, in elements named after dates.

    The first that is labelled as the publication, else the first without a label; updates are put aside.
    """
    plain: list[DateCandidate] = []
    for source, weight, elements in (
        ("printed", 0.5, context.texts_near()),
        ("time", 0.6, ((element, text_of(element, 120)) for element in context.times())),
        ("printed", 0.4, ((element, text_of(element, LONG_LINE)) for element in context.named_after_dates())),
    ):
        last_update: int | None = None
        for distance, (element, text) in enumerate(elements):
            for label, date in _labelled(element, text, locale):
                candidate = FieldCandidate(date, "time" if element.tag == "time" else source, weight)
                if label == "published":
                    return [candidate]
                if label == "modified":
                    modified.append(candidate)
                    last_update = distance
                elif last_update is None or distance - last_update <= _NEAR_UPDATE:
                    plain.append(candidate)
        if plain:
            return plain[:1]
    return []


def read_scattered(context: HeadlineContext, locale: DateLocale) -> list[DateCandidate]:
    """The date where nothing is marked up or printed beside the headline, by the first of these that has one.

    RDFa attributes; a label of publication that stands but once on the page; the begin of the first paragraph
    (*Press release of 25 January 2022 | Berlin – …*).
    """
    for element in context.with_rdfa_dates():
        if date := locale.read(element.get("content") or ""):
            return [FieldCandidate(date, "rdfa", 0.4)]
    labelled = {
        date
        for element, text in context.labelled_anywhere()
        for label, date in _labelled(element, text, locale)
        if label == "published"
    }
    if len(labelled) == 1:
        return [FieldCandidate(labelled.pop(), "labelled", 0.3)]
    for paragraph in islice((p for p in context.paragraphs() if not context.is_elsewhere(p)), _FIRST):
        begin = _DATELINE.match(text_of(paragraph, _MAX_DATELINE))
        if begin and (date := locale.read(begin[0])):
            return [FieldCandidate(date, "dateline", 0.3)]
    return []


def _labelled(element: _Element, text: str, locale: DateLocale) -> Iterator[tuple[str | None, WrittenDate]]:
    """The dates in a piece of text, each with what the words before it call it."""
    machine = element.get("datetime") or element.get("content")
    if machine and (date := locale.read(machine)):
        yield _label(f"{_words_before(element)} {text}") or _label(_names_of(element)), date
        return
    if not any(map(str.isdigit, text)) or _is_sentence(text):
        return
    outer = _words_before(element)
    for piece in _labels()[1].split(text):
        if date := locale.read(piece):
            yield _label(piece) or _label(outer) or _label(_names_of(element)), date
            outer = ""


def _is_sentence(text: str) -> bool:
    """Whether the text tells something, which may have happened on any day."""
    return text.endswith((".", "!", "?", "…")) and len(text.split()) >= _SENTENCE and not _labels()[0].match(text)


@cache
def _labels() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What finds a label, and what parts a text before each label and at separators."""
    words = {name: "|".join(map(re.escape, listed)) for name, listed in load_table("datelines").items()}
    finds = "|".join(f"(?P<{name}>{listed})" for name, listed in words.items())
    parts = rf"\s(?=(?:last\s)?(?:{'|'.join(words.values())}))|[|•·]|\s[–—-]\s"
    return re.compile(finds, re.IGNORECASE), re.compile(parts, re.IGNORECASE)


def _label(text: str) -> str | None:
    match = _labels()[0].search(text)
    return match.lastgroup if match else None


def _names_of(element: _Element) -> str:
    parent = element.getparent()
    names = [element.get("class"), element.get("itemprop"), element.get("id")]
    names += [parent.get("class")] if parent is not None else []
    return " ".join(filter(None, names))


def _words_before(element: _Element) -> str:
    before, parent = element.getprevious(), element.getparent()
    if before is not None:
        return (before.tail or "").strip()[-40:] or text_of(before, 60)[-40:]
    return ((parent.text if parent is not None else "") or "")[-40:]
