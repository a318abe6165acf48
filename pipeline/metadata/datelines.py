"""Dates as readers see them: beside the headline, in ``time`` elements, in elements named after dates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from lxml.etree import _Element

from pipeline.metadata.evidence import Candidate
from pipeline.metadata.moments import Moment, parse_moment
from pipeline.metadata.surroundings import LONG_LINE, Surroundings
from pipeline.metadata.tables import load_table
from pipeline.structured.selection import text_of

Found = Candidate[Moment]
_SENTENCE = 6  # words, and a full stop: dates are printed with fewer
_NEAR_UPDATE = 6  # pieces of text between an update and the publication, where both are printed


@dataclass(frozen=True, slots=True)
class Setting:
    """What dates are read by: the page's language, its host, and the time after which no date can lie."""

    language: str | None
    language_tag: str | None
    host: str
    latest: datetime | None

    def read(self, text: str) -> Moment | None:
        """The date in the text, if it can be one of this page."""
        moment = parse_moment(text, self.language, month_first=self._month_first)
        if moment and self.latest and moment.at.replace(tzinfo=None) > self.latest.replace(tzinfo=None):
            return None
        return moment

    @property
    def _month_first(self) -> bool:
        """American pages write 05/03/2024 for the third of May; English ones elsewhere mostly do not."""
        tag = (self.language_tag or "").replace("_", "-").lower()
        if self.host.endswith((".uk", ".au", ".nz", ".ie", ".in", ".za", ".ca")):
            return False
        return tag in {"en-us", "en", ""} and self.language in {"en", None}


def read_printed(around: Surroundings, setting: Setting, modified: list[Found]) -> list[Found]:
    """The date as readers see it: near the headline, in time elements, in elements named after dates.

    The first that is labelled as the publication, else the first without a label; updates are put aside.
    """
    plain: list[Found] = []
    for source, weight, elements in (
        ("printed", 0.5, around.texts_near()),
        ("time", 0.6, ((element, text_of(element, 120)) for element in around.times())),
        ("printed", 0.4, ((element, text_of(element, LONG_LINE)) for element in around.named_after_dates())),
    ):
        last_update: int | None = None
        for place, (element, text) in enumerate(elements):
            for label, moment in _labelled(element, text, setting):
                found = Candidate(moment, "time" if element.tag == "time" else source, weight)
                if label == "published":
                    return [found]
                if label == "modified":
                    modified.append(found)
                    last_update = place
                elif last_update is None or place - last_update <= _NEAR_UPDATE:
                    plain.append(found)
        if plain:
            return plain[:1]
    return []


def _labelled(element: _Element, text: str, setting: Setting) -> Iterator[tuple[str | None, Moment]]:
    """The dates in a piece of text, each with what the words before it call it."""
    machine = element.get("datetime") or element.get("content")
    if machine and (moment := setting.read(machine)):
        yield _label(f"{_words_before(element)} {text}") or _label(_names_of(element)), moment
        return
    if not any(map(str.isdigit, text)) or _is_sentence(text):
        return
    outer = _words_before(element)
    for piece in _labels()[1].split(text):
        if moment := setting.read(piece):
            yield _label(piece) or _label(outer) or _label(_names_of(element)), moment
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
    """The last words in front of the element."""
    before, parent = element.getprevious(), element.getparent()
    if before is not None:
        return (before.tail or "").strip()[-40:] or text_of(before, 60)[-40:]
    return ((parent.text if parent is not None else "") or "")[-40:]
