"""Bylines as readers see them: links to authors, elements named after them, lines that begin with *By* or *Von*."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from lxml.etree import _Element

from pipeline.html.xpath import text_of
from pipeline.metadata.bylines.byline_parts import has_mark, strip_before
from pipeline.metadata.bylines.east_asian_names import find_signature, is_east_asian, is_signed
from pipeline.metadata.bylines.person_names import BylineName, NamedSource, is_full_name, read_names
from pipeline.metadata.headline_context import HeadlineContext

_CLOSE = 20  # pieces of text from the headline
_MAX_LINKS = 12
_MAX_GROUP = 160  # characters of an element that holds the links to all authors
_MAX_SIGNATURE = 80  # characters of a last line that only signs
_ENDS = 3  # paragraphs at the begin and end of the text where reporters sign in East Asia
_SURE_LINK = re.compile(r"/(?:author|autor|auteur|autore|redaktion|verfasser|user|users|profile?)/")
_PHRASE = re.compile(
    r"^(?![^,]*\b(?:foto|photo|bild|image|picture|illustration|video|grafik|translat|übersetz)\w*)"
    r"[\w\s&-]{0,30}\b(?:von|by|par|por|door|av|af)\s+(?P<names>[^.!?:]{4,60})$",
    re.IGNORECASE,
)


def read_printed_bylines(context: HeadlineContext, own: tuple[str, ...]) -> Iterator[NamedSource]:
    """What signs the article, the surest first: lines with whole names, lone names that link, newsrooms, agencies."""
    linked = list(_linked(context, own))
    boxes = [] if any(map(_is_settled, linked)) else list(_until_settled(_boxes(context, own)))
    named = [(is_led, source) for is_led, source in (*linked, *boxes) if any(map(is_person, source.names))]
    named.sort(key=lambda pair: (not all(map(is_person, pair[1].names)), not pair[0]))
    yield from (source for _, source in named)
    if not any(is_led for is_led, _ in named):
        yield from _near(context, own)
        yield from _signatures(context, own)
    yield from (source for is_led, source in linked if is_led and source.has_person)
    yield from (source for _, source in (*linked, *boxes) if source.names and not source.has_person)


def _is_settled(pair: tuple[bool, NamedSource]) -> bool:
    """Whether it is led and has only whole names: nothing behind it would be preferred."""
    return pair[0] and bool(pair[1].names) and all(map(is_person, pair[1].names))


def _until_settled(pairs: Iterable[tuple[bool, NamedSource]]) -> Iterator[tuple[bool, NamedSource]]:
    for pair in pairs:
        yield pair
        if _is_settled(pair):
            return


def is_person(name: BylineName) -> bool:
    """Whether it is a person's first and last name."""
    return name.kind == "person" and is_full_name(name.text)


def _linked(context: HeadlineContext, own: tuple[str, ...]) -> Iterator[tuple[bool, NamedSource]]:
    """Links to authors, those of one short line together; with each whether it surely leads to an author."""
    links = list(islice(context.author_links(), _MAX_LINKS))
    seen: set[_Element] = set()
    for link in links:
        if link in seen:
            continue
        group = _group(link, links)
        seen.update(group)
        names = read_names([text_of(member, 120) for member in group], own)
        is_sure = "author" in (link.get("rel") or "") or bool(_SURE_LINK.search(link.get("href") or ""))
        yield is_sure, NamedSource("byline", 0.5, names, is_sure)


def _group(link: _Element, links: list[_Element]) -> list[_Element]:
    if len(links) == 1:
        return links
    for holder in [*islice(link.iterancestors(), 2)][::-1]:
        members = [member for member in links if holder in (member.getparent(), *islice(member.iterancestors(), 1, 2))]
        if 1 < len(members) <= 6 and len(text_of(holder, _MAX_GROUP)) < _MAX_GROUP:
            return members
    return [link]


def _boxes(context: HeadlineContext, own: tuple[str, ...]) -> Iterator[tuple[bool, NamedSource]]:
    """Elements named after bylines; with each whether a word such as *By* introduces its names."""
    for element, text in context.byline_elements():
        names = read_names([text], own)
        pieces = [name for name in _names_of_pieces(element, own) if is_person(name)] if len(element) else []
        if len(pieces) > sum(map(is_person, names)):  # a role or place beside a name, or names beside each other
            names = tuple(pieces)
        is_led = strip_before(text) != text
        yield is_led, NamedSource("byline", 0.5, names, is_led)


def _names_of_pieces(element: _Element, own: tuple[str, ...]) -> tuple[BylineName, ...]:
    pieces = [" ".join(str(piece).split()) for piece in element.itertext()]
    return read_names([piece for piece in pieces[:12] if piece], own) if len(pieces) > 1 else ()


def _near(context: HeadlineContext, own: tuple[str, ...]) -> Iterator[NamedSource]:
    """Lines near the headline that sign, by a word before or behind the names or by their place alone."""
    before = ""
    for distance, (element, text) in enumerate(context.texts_near()):
        bare = text.strip(" -–—|·•/,")
        phrase = _PHRASE.match(bare)
        is_led = has_mark(text) or strip_before(bare) != bare or (before and not strip_before(before))
        if is_led or phrase or is_signed(bare) or (distance < _CLOSE and _is_alone(element)):
            names = read_names([phrase["names"] if phrase and not is_led else text], own)
            if names and (all(map(is_person, names)) or has_mark(text)):
                yield NamedSource("printed", 0.4, names)
        before = text


def _is_alone(element: _Element) -> bool:
    """Whether the element is all of the text's first paragraph: so some print who wrote it."""
    parent = element.getparent()
    if parent is None or parent.tag != "p" or element.tag not in {"strong", "em", "b", "i"} or len(parent) != 1:
        return False
    first = not any(sibling.tag == "p" for sibling in parent.itersiblings(preceding=True))
    return first and not f"{parent.text or ''}{element.tail or ''}".strip()


def _signatures(context: HeadlineContext, own: tuple[str, ...]) -> Iterator[NamedSource]:
    """Reporters of East Asia sign in the first or the last line of the text."""
    paragraphs = context.paragraphs()
    here = (paragraph for paragraph in paragraphs if not context.is_elsewhere(paragraph))
    last = (paragraph for paragraph in reversed(paragraphs) if not context.is_elsewhere(paragraph))
    for paragraph in (*islice(here, _ENDS), *islice(last, _ENDS)):
        text = text_of(paragraph, 400)
        if not is_east_asian(text):
            return
        name = find_signature(text[:60]) or find_signature(text[-_MAX_SIGNATURE:])
        if name:
            yield NamedSource("printed", 0.4, read_names([name], own))
