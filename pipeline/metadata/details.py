"""Section, tags, description, site name, publisher, access and kind: fields that one or two sources name."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from pipeline.html.decode import Elements
from pipeline.html.structured_data import ARTICLE_TYPES, Node, Structured, types_of
from pipeline.html.xpath import text_of
from pipeline.metadata.data_files import load_table
from pipeline.metadata.evidence import FieldCandidate, FieldChoice, choose_best
from pipeline.metadata.title_parts import tidy
from pipeline.model import Access
from pipeline.urls.authority import registered_domain

_KINDS = frozenset(name.removesuffix("article") for name, weight in ARTICLE_TYPES.items() if weight >= 2)
MAX_TAGS = 40
MAX_TAG = 80  # characters
MAX_LINKS = 80  # among which a logo is looked for
_KEY = re.compile(
    r"^[a-z][\w-]*\s?[:=]\s?\S|^[^\s=]+=\S|^\S*_\S*$|^\d{1,3}$|^\d{5,}$|^(?=.*\d)[0-9a-f]{8,}$|^[0-9a-f]{8}-[0-9a-f-]{20,}$"
    r"|[^\s]-(?:feed|enabled|disabled|type)$"
)
MIN_NAME = 4  # characters: shorter texts of links are arrows and initials


def first_text(value: object) -> str | None:
    """The first non-empty text in a JSON-LD value."""
    if isinstance(value, list):
        return next((text for inner in value if (text := first_text(inner))), None)
    if isinstance(value, dict):
        return first_text(value.get("name") or value.get("@value"))
    return tidy(value) or None if isinstance(value, str) else None


def _first(named: Iterable[tuple[str, float, str | None]]) -> FieldChoice[str] | None:
    candidates = [
        FieldCandidate(tidy(value), source, weight) for source, weight, value in named if value and tidy(value)
    ]
    return choose_best(candidates, str.casefold)


def read_site_name(structured: Structured, site: str) -> FieldChoice[str] | None:
    """What the site calls itself."""
    names = [("og:site_name", 0.9, structured.first_meta("og:site_name"))]
    names += [("json-ld", 0.6, first_text(node.get("isPartOf"))) for node in structured.articles[:1]]
    names += [("json-ld:website", 0.7, first_text(node)) for node in _of_type(structured, "website")]
    names += [("application-name", 0.5, structured.first_meta("application-name", "apple-mobile-web-app-title"))]
    names += [("host", 0.2, site or None)]
    return _first(names)


def read_publisher(structured: Structured) -> FieldChoice[str] | None:
    """The publisher's name."""
    names = [("json-ld", 0.9, first_text(node.get("publisher"))) for node in structured.articles[:2]]
    names += [
        ("meta", 0.6, structured.first_meta("dc.publisher", "dcterms.publisher", "publisher", "citation_publisher"))
    ]
    names += [("microdata", 0.6, next(iter(structured.microdata.get("publisher", ())), None))]
    return _first((source, weight, value) for source, weight, value in names if value and "://" not in value)


def _of_type(structured: Structured, kind: str) -> Iterator[Node]:
    return (node for node in structured.nodes if kind in (kinds := types_of(node)) and "person" not in kinds)


def list_site_names(structured: Structured, site: str, elements: Elements) -> tuple[str, ...]:
    """All that the site, its publisher and its host are called, to tell from headlines and persons."""
    domain = registered_domain(site)
    names = [structured.first_meta("og:site_name"), structured.first_meta("application-name"), site, domain]
    names += [domain.split(".")[0], structured.first_meta("dc.publisher", "publisher")]
    names += [first_text(node.get("publisher")) for node in structured.articles]
    names += [first_text(node) for node in _of_type(structured, "website")]
    names += [
        first_text(node) for kind in ("newsmediaorganization", "organization") for node in _of_type(structured, kind)
    ][:5]
    names += [(structured.first_meta("twitter:site") or "").lstrip("@")]
    names += _texts_of_logos(elements, site)
    return tuple(dict.fromkeys(name for name in names if name and 1 < len(name) < 80))


def _texts_of_logos(elements: Elements, site: str) -> list[str]:
    """What the first links to the front page say, but for *Home* and its like."""
    hosts = [f"{scheme}://{www}{site}" for scheme in ("https", "http") for www in ("www.", "")]
    fronts = {"/", *hosts, *(f"{host}/" for host in hosts)}
    links = (link for link in elements["a"][:MAX_LINKS] if link.get("href") in fronts)
    texts = [text_of(link, MAX_TAG) for link in islice(links, 4)]
    return [text for text in texts if len(text) >= MIN_NAME and text.casefold() not in load_table("meta")["home"]]


def read_section(structured: Structured) -> FieldChoice[str] | None:
    """The section or desk."""
    names = [("json-ld", 0.8, first_text(node.get("articleSection"))) for node in structured.articles[:2]]
    names += [
        ("article:section", 0.8, structured.first_meta("article:section")),
        ("meta", 0.6, structured.first_meta(*load_table("meta")["section"])),
        ("microdata", 0.6, next(iter(structured.microdata.get("articlesection", ())), None)),
        ("breadcrumb", 0.4, _breadcrumb(structured)),
    ]
    first = ((source, weight, value.split(",")[0].strip()) for source, weight, value in names if value)
    return _first(named for named in first if len(named[2]) < MAX_TAG and is_label(named[2]) and not _is_rest(named[2]))


def is_label(text: str) -> bool:
    """Whether a tag or section is written for readers, and no key that a content management system goes by.

    >>> is_label("Harbour"), is_label("content-type: Feature"), is_label("editors_pick"), is_label("2026")
    (True, False, False, True)
    """
    return "://" not in text and not _KEY.search(text)


def _is_rest(section: str) -> bool:
    """Whether it says that no section was chosen: *Uncategorized*, *Sin categoría*."""
    return section.casefold() in load_table("meta")["no_section"]


def list_sections(structured: Structured) -> tuple[str, ...]:
    """All sections that the page names, to tell from headlines."""
    names = [text for node in structured.articles for text in _texts(node.get("articleSection"))]
    names += [*structured.meta.get("article:section", ()), *_breadcrumbs(structured)]
    names += [value for name in load_table("meta")["section"] for value in structured.meta.get(name, ())[:3]]
    return tuple(name for name in names if len(name) < MAX_TAG)


def _breadcrumb(structured: Structured) -> str | None:
    """The last but one step of the breadcrumbs (the last is the article, the first the front page)."""
    steps = _breadcrumbs(structured)
    return steps[-1] if len(steps) > 1 else None


def _breadcrumbs(structured: Structured) -> list[str]:
    """The steps of the breadcrumbs but the last."""
    for node in _of_type(structured, "breadcrumblist"):
        steps = node.get("itemListElement")
        if isinstance(steps, list):
            named = [first_text(step.get("name") or step.get("item")) for step in steps if isinstance(step, dict)]
            return [name for name in named[:-1] if name]
    return []


def read_tags(structured: Structured) -> FieldChoice[tuple[str, ...]] | None:
    """Keywords, each once, in the order of the first source that names any."""
    named = [("json-ld", 0.8, _texts(node.get("keywords"))) for node in structured.articles[:2]]
    named += [("article:tag", 0.8, list(structured.meta.get("article:tag", ())))]
    for name, weight in (("parsely-tags", 0.7), ("news_keywords", 0.7), ("sailthru.tags", 0.7), ("keywords", 0.6)):
        named.append((name, weight, list(structured.meta.get(name, ()))[:1]))
    candidates = [FieldCandidate(tags, source, weight) for source, weight, texts in named if (tags := _tags(texts))]
    return choose_best(candidates[:1], lambda tags: tags)


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for inner in values if (text := first_text(inner))]


def _tags(texts: list[str]) -> tuple[str, ...]:
    pieces = [piece for text in texts for piece in re.split(r"\s*[,;、，]\s*", tidy(text))] if len(texts) < 3 else texts
    tags: dict[str, str] = {}
    for piece in pieces:
        tag = tidy(piece).strip(" #\"'")
        if tag and len(tag) <= MAX_TAG and is_label(tag):
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())[:MAX_TAGS]


def read_description(structured: Structured) -> FieldChoice[str] | None:
    """The page's own summary."""
    named = [
        ("og:description", 0.8, structured.first_meta("og:description")),
        ("description", 0.7, structured.first_meta("description", "dc.description", "dcterms.abstract")),
        ("twitter:description", 0.6, structured.first_meta("twitter:description")),
    ]
    named[1:1] = [("json-ld", 0.75, first_text(node.get("description"))) for node in structured.articles[:1]]
    return _first((source, weight, value[:2000] if value else None) for source, weight, value in named)


def read_paywall(structured: Structured) -> FieldChoice[Access] | None:
    """Whether the text is free to read, by what the page declares."""
    tables = load_table("meta")
    words = tables["access"]
    candidates: list[FieldCandidate[Access]] = []
    if structured.is_accessible_for_free is not None:
        candidates.append(FieldCandidate("free" if structured.is_accessible_for_free else "paid", "json-ld", 0.8))
    for name in tables["tier"]:
        for value in structured.meta.get(name, ())[:1]:
            word = value.strip().lower()
            if word in words["metered"]:
                candidates.append(FieldCandidate("metered", name, 0.9))
            elif word in words["paid"] or (name.endswith("paywall") and word in {"true", "1", "yes"}):
                candidates.append(FieldCandidate("paid", name, 0.8))
            elif word in words["free"] or (name.endswith("paywall") and word in {"false", "0", "no"}):
                candidates.append(FieldCandidate("free", name, 0.8))
    return choose_best(candidates, str)


def read_kind(structured: Structured) -> FieldChoice[str] | None:
    """The type of the page: schema.org's without *Article*, or what OpenGraph says."""
    kind = structured.article_type
    if kind and ARTICLE_TYPES[kind] >= 2:
        return choose_best([FieldCandidate(kind.removesuffix("article") or "article", "json-ld", 0.8)], str)
    declared = structured.first_meta("og:type")
    return choose_best([FieldCandidate(declared.lower(), "og:type", 0.5)], str) if declared else None


def is_kind_of_article(kind: str | None) -> bool:
    """Whether it is a type of schema.org that something to read has, as `read_kind` writes them.

    >>> is_kind_of_article("opinionnews"), is_kind_of_article("website"), is_kind_of_article("article")
    (True, False, True)
    """
    return kind == "article" or kind in _KINDS
