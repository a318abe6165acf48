"""The language that a page declares."""

from collections.abc import Iterator

from lxml.etree import _Element

from pipeline.metadata.evidence import Candidate, Choice, choose
from pipeline.metadata.tables import load_table
from pipeline.structured import Structured


def read_language(tree: _Element, structured: Structured) -> Choice[str] | None:
    """The language as an ISO 639-1 code, by agreement of all that declare one."""
    found = [
        Candidate(code, source, weight)
        for source, weight, tag in language_tags(tree, structured)
        if (code := code_of(tag))
    ]
    return choose(found, str)


def language_tags(tree: _Element, structured: Structured) -> Iterator[tuple[str, float, str]]:
    """Declared tags such as ``de-AT``: source, weight, tag."""
    for node in structured.articles[:1]:
        value = node.get("inLanguage")
        value = value.get("alternateName") or value.get("name") if isinstance(value, dict) else value
        if isinstance(value, str):
            yield "json-ld", 0.8, value
    xml = "{http://www.w3.org/XML/1998/namespace}lang"
    if tag := tree.get("lang") or tree.get("xml:lang") or tree.get(xml):
        yield "html", 0.8, tag
    for name, weight in (("og:locale", 0.5), ("content-language", 0.6), ("language", 0.5), ("dc.language", 0.6)):
        for value in structured.meta.get(name, ())[:1]:
            yield name, weight, value
    for value in structured.microdata.get("inlanguage", ())[:1]:
        yield "microdata", 0.6, value


def code_of(tag: str) -> str | None:
    """The ISO 639-1 code of a tag or an English or own name of a language.

    >>> code_of("nb_NO"), code_of("deu"), code_of("English"), code_of("x-default")
    ('no', 'de', 'en', None)
    """
    tables = load_table("languages")
    head = tag.replace("_", "-").strip().lower().split(",")[0].split("-")[0].strip()
    head = tables["same"].get(head, head)
    return head if head in tables["codes"]["known"] else None
