"""Who signed the article: by JSON-LD, meta elements, microdata and the printed by-line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml.etree import _Element

from pipeline.metadata.names import Name, fold_name, has_mark, is_full_name, read_names, strip_before
from pipeline.metadata.surroundings import Surroundings
from pipeline.metadata.tables import load_table
from pipeline.model import Provenance
from pipeline.structured import Structured, types_of

_META_WEIGHT = 0.7
_CLOSE = 20  # pieces of text from the headline


@dataclass(frozen=True, slots=True)
class Signed:
    """The names of one source."""

    source: str
    weight: float
    names: tuple[Name, ...]

    @property
    def has_person(self) -> bool:
        """Whether a person is among them."""
        return any(name.kind == "person" for name in self.names)

    @property
    def is_agency(self) -> bool:
        """Whether only agencies are among them: their stories are rarely signed by more."""
        return bool(self.names) and all(name.kind == "agency" for name in self.names)


def read_authors(
    around: Surroundings, structured: Structured, site_names: Iterable[str]
) -> tuple[tuple[Name, ...], Provenance | None]:
    """The names that signed, in order, and where they stand.

    The first source that names a person wins; the printed by-line is read only when no declared source does. Without
    persons, it is the first source that names a newsroom or an agency.
    """
    own = tuple(site_names)
    signed = [found for found in _declared(structured, own) if found.names]
    if not any(found.has_person or found.is_agency for found in signed):
        signed += _printed(around, own)
    if not signed:
        return (), None
    best = next((found for found in signed if found.has_person), signed[0])
    return best.names, _explain(best, signed)


def _declared(structured: Structured, own: tuple[str, ...]) -> Iterator[Signed]:
    for node in structured.articles:
        yield Signed("json-ld", 0.9, _of_node(node, own))
    for name in load_table("meta")["author"]:
        values = structured.meta.get(name, ())
        yield Signed(name, _META_WEIGHT, read_names(dict.fromkeys(value for value in values if _is_name(value)), own))
    yield Signed("microdata", 0.7, read_names(structured.microdata.get("author", ()), own))
    for node in structured.pages:
        yield Signed("json-ld:page", 0.5, _of_node(node, own))


def _is_name(value: str) -> bool:
    return "://" not in value and "facebook.com" not in value


def _of_node(node: Mapping[str, Any], own: tuple[str, ...]) -> tuple[Name, ...]:
    found: dict[str, Name] = {}
    for key in ("author", "creator", "contributor"):
        for text, is_organisation in _persons(node.get(key)):
            for name in read_names([text], own, organisation=is_organisation):
                found.setdefault(fold_name(name.text), name)
        if found:
            break
    return tuple(found.values())


def _persons(value: object) -> Iterator[tuple[str, bool]]:
    """Names and whether they are said to be organisations, however they are nested."""
    if isinstance(value, str):
        if _is_name(value):
            yield value, False
    elif isinstance(value, list):
        for inner in value[:20]:
            yield from _persons(inner)
    elif isinstance(value, dict):
        name = value.get("name") or " ".join(str(value[key]) for key in ("givenName", "familyName") if value.get(key))
        kinds = types_of(value)
        is_organisation = "person" not in kinds and any(kind.endswith("organization") for kind in kinds)
        for text in name if isinstance(name, list) else [name]:
            if isinstance(text, str) and text.strip() and _is_name(text):
                yield text, is_organisation


def _printed(around: Surroundings, own: tuple[str, ...]) -> Iterator[Signed]:
    """Printed by-lines: those that hold only persons' names, those that hold one, newsrooms and agencies."""
    found = [signed for text in around.bylines() if (signed := Signed("byline", 0.5, read_names([text], own))).names]
    named = [signed for signed in found if any(map(_is_person, signed.names))]
    yield from sorted(named, key=lambda signed: not all(map(_is_person, signed.names)))
    before = ""
    for place, (element, text) in enumerate(around.texts_near()):
        introduced = has_mark(text) or strip_before(text) != text or (before and not strip_before(before))
        if introduced or (place < _CLOSE and _is_alone(element)):
            names = read_names([text], own)
            if names and (all(map(_is_person, names)) or has_mark(text)):
                yield Signed("printed", 0.4, names)
        before = text
    yield from (signed for signed in found if not signed.has_person)


def _is_person(name: Name) -> bool:
    return name.kind == "person" and is_full_name(name.text)


def _is_alone(element: _Element) -> bool:
    """Whether the element is all of the text's first paragraph: so some print who wrote it."""
    parent = element.getparent()
    if parent is None or parent.tag != "p" or element.tag not in {"strong", "em", "b", "i"} or len(parent) != 1:
        return False
    first = not any(sibling.tag == "p" for sibling in parent.itersiblings(preceding=True))
    return first and not f"{parent.text or ''}{element.tail or ''}".strip()


def _explain(best: Signed, signed: list[Signed]) -> Provenance:
    keys = {fold_name(name.text) for name in best.names}
    agreeing = [found for found in signed if keys & {fold_name(name.text) for name in found.names}]
    differing = [found for found in signed if found not in agreeing]
    doubt = 1.0
    for found in agreeing:
        doubt *= 1 - found.weight
    return Provenance(
        source="+".join(dict.fromkeys((best.source, *(found.source for found in agreeing)))),
        confidence=round((1 - doubt) * (0.85 if differing else 1.0), 2),
        alternatives=tuple((found.source, ", ".join(name.text for name in found.names)) for found in differing[:5]),
    )
