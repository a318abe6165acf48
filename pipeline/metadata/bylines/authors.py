"""Who signed the article: by JSON-LD, meta elements, microdata and the printed byline."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from pipeline.html.structured_data import Structured, types_of
from pipeline.metadata.bylines.byline_parts import fold_name, has_word, strip_before
from pipeline.metadata.bylines.person_names import BylineName, NamedSource, read_names
from pipeline.metadata.bylines.printed_bylines import is_person, read_printed_bylines
from pipeline.metadata.data_files import load_table
from pipeline.metadata.evidence import explain_choice
from pipeline.metadata.headline_context import HeadlineContext
from pipeline.model import Provenance

_META_WEIGHT = 0.7
_MAX_PRINTED = 6  # bylines; they come in the order of how sure they are


def read_authors(
    context: HeadlineContext, structured: Structured, site_names: Iterable[str]
) -> tuple[tuple[BylineName, ...], Provenance | None]:
    """The names that signed, in order, and where they stand.

    The first source that names a person wins; the printed byline is read only when no declared source names one in
    full, or where two declare different ones: then the one that is printed, too. Without persons, it is the first
    source that names a newsroom or an agency.
    """
    own = tuple(site_names)
    sources = [source for source in _declared(structured, own) if source.names]
    best = next((source for source in sources if source.has_person), None)
    if best is None and any(source.is_agency for source in sources):
        best = sources[0]
    elif best is None or not any(map(is_person, best.names)) or _is_disputed(best, sources):
        printed = list(islice((source for source in read_printed_bylines(context, own) if source.names), _MAX_PRINTED))
        best = _choose_with_printed(best, sources, printed)
        sources += printed
    if best is None:
        return (), None
    return best.names, _explain(best, sources)


def _is_disputed(best: NamedSource, sources: list[NamedSource]) -> bool:
    return any(source.has_person and not _keys(best) & _keys(source) for source in sources)


def _choose_with_printed(
    best: NamedSource | None, declared: list[NamedSource], printed: list[NamedSource]
) -> NamedSource | None:
    if best is None:
        has_desk = bool(declared) and any(has_word(name.text, "staff") for name in declared[0].names)
        people = (source for source in printed if source.has_person and (source.is_led or not has_desk))
        return next(people, next(iter((*declared, *printed)), None))
    for source in printed[:3]:
        if not any(map(is_person, best.names)) and _completes(best, source):
            return source
        if any(map(is_person, source.names)):
            return next((other for other in declared if other.has_person and _keys(other) & _keys(source)), best)
    return best


def _completes(declared: NamedSource, printed: NamedSource) -> bool:
    """Whether a login or first name is declared for whom the page prints with both names."""
    words = {word for key in _keys(printed) for word in key.split()}
    return any(map(is_person, printed.names)) and any(key in words for key in _keys(declared))


def _keys(source: NamedSource) -> set[str]:
    return {fold_name(name.text) for name in source.names}


def _declared(structured: Structured, own: tuple[str, ...]) -> Iterator[NamedSource]:
    for node in structured.articles:
        yield NamedSource("json-ld", 0.9, _of_node(node, own))
    for name in load_table("meta")["author"]:
        values = structured.meta.get(name, ())
        yield NamedSource(
            name, _META_WEIGHT, read_names(dict.fromkeys(value for value in values if _is_name(value)), own)
        )
    for number in ("1", "2"):  # WordPress' cards for Twitter: a label and what it is for
        label = structured.first_meta(f"twitter:label{number}")
        if label and not strip_before(label.strip()):
            value = structured.first_meta(f"twitter:data{number}") or ""
            yield NamedSource("twitter:data", 0.6, read_names([value] if _is_name(value) else [], own))
    yield NamedSource("microdata", 0.7, read_names(structured.microdata.get("author", ()), own))
    for node in structured.pages:
        yield NamedSource("json-ld:page", 0.5, _of_node(node, own))


def _is_name(value: str) -> bool:
    return "://" not in value and "facebook.com" not in value


def _of_node(node: Mapping[str, Any], own: tuple[str, ...]) -> tuple[BylineName, ...]:
    names: dict[str, BylineName] = {}
    for key in ("author", "creator", "contributor"):
        for text, is_organisation in _persons(node.get(key)):
            for name in read_names([text], own, organisation=is_organisation):
                names.setdefault(fold_name(name.text), name)
        if names:
            break
    return tuple(names.values())


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


def _explain(best: NamedSource, sources: list[NamedSource]) -> Provenance:
    keys = _keys(best)
    agreeing = [source for source in sources if keys & _keys(source)]
    differing = [source for source in sources if source not in agreeing]
    agreed = [(best.source, 0.0), *((source.source, source.weight) for source in agreeing)]
    others = [(source.source, ", ".join(name.text for name in source.names)) for source in differing]
    return explain_choice(agreed, others, 0.85 if differing else 1.0)
