"""The language of the article: told from its text; what the page declares decides where the text cannot."""

from collections import defaultdict
from collections.abc import Iterator

from lxml.etree import _Element

from pipeline.html.decode import Elements
from pipeline.html.structured_data import Structured
from pipeline.html.xpath import text_of
from pipeline.metadata.data_files import load_table
from pipeline.metadata.evidence import FieldCandidate, FieldChoice, choose_best
from pipeline.text.languages import MAX_READ, detect_language

_SURE, _LIKELY = 4.0, 0.4  # the first outweighs all declarations together, the second none
_LINE = 30  # characters: shorter paragraphs are captions and buttons
_LONG, _PLENTY = 500, 1200  # characters: what is read of a paragraph, and in an element that surely holds the text
_MAX_PARAGRAPHS = 300


def read_language(
    tree: _Element, elements: Elements, structured: Structured, site: str = ""
) -> FieldChoice[str] | None:
    """The language as an ISO 639-1 code; None where neither text nor page tells one.

    Themes declare ``en`` whatever is written, so that a text of some length is believed before all that is declared.
    Only between languages that read alike (Croatian, Bosnian, Serbian) the declaration or the country decides.
    """
    declared = [
        FieldCandidate(code, source, weight)
        for source, weight, tag in language_tags(tree, structured)
        if (code := code_of(tag))
    ]
    candidates = list(declared)
    detected = detect_language(sample_text(elements))
    code = code_of(detected.code) if detected else None
    is_rare = code in load_table("languages")["codes"]["rare"] and not any(
        candidate.value == code for candidate in declared
    )
    if detected and code and not is_rare:
        hints = [candidate.value for candidate in declared] + [
            hint for hint in [load_table("languages")["country"].get(site.rpartition(".")[2])] if hint
        ]
        alike = [group for group in load_table("languages")["codes"]["alike"] if code in group]
        code = next((hint for hint in hints if any(hint in group for group in alike)), code)
        candidates.insert(0, FieldCandidate(code, "text", _SURE if detected.is_sure else _LIKELY))
    return choose_best(candidates, str)


def sample_text(elements: Elements) -> str:
    """Some of the text that the page is about: the paragraphs of the element that holds most of them.

    Where a page has no paragraphs to speak of, it is its headings and whatever long lines there are.
    """
    texts: dict[_Element, list[str]] = defaultdict(list)
    sizes: dict[_Element, int] = defaultdict(int)
    for paragraph in elements["p"][:_MAX_PARAGRAPHS]:
        text = text_of(paragraph, _LONG)
        parent = paragraph.getparent()
        if len(text) < _LINE or parent is None:
            continue
        for holder in (parent, parent.getparent()):  # many sites put each paragraph into an element of its own
            if holder is not None:
                texts[holder].append(text)
                sizes[holder] += len(text)
        if sizes[parent] > _PLENTY:
            break
    best = max(sizes, key=lambda holder: sizes[holder], default=None)
    text = "\n".join(texts[best]) if best is not None else ""
    return text if len(text) >= MAX_READ // 2 else "\n".join([text, *_other_lines(elements)])


def _other_lines(elements: Elements) -> Iterator[str]:
    for tag in ("h1", "article", "main", "h2", "div", "td", "section"):
        for element in elements[tag][:_MAX_PARAGRAPHS]:
            pieces = [element.text, *(child.tail for child in element)]
            text = " ".join(" ".join(filter(None, pieces)).split())
            if len(text) >= _LINE or (text and tag == "h1"):
                yield text[:MAX_READ]


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
