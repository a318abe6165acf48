"""Section, tags, description, site name, publisher, access and kind: fields that one or two sources name."""

import re
from collections.abc import Iterable, Iterator

from pipeline.metadata.addresses import host_of, site_of
from pipeline.metadata.evidence import Candidate, Choice, choose
from pipeline.metadata.headline import tidy
from pipeline.metadata.tables import load_table
from pipeline.model import Access
from pipeline.structured import ARTICLE_TYPES, Node, Structured, types_of

MAX_TAGS = 40
MAX_TAG = 80  # characters


def first_text(value: object) -> str | None:
    """The first non-empty text in a JSON-LD value."""
    if isinstance(value, list):
        return next((text for inner in value if (text := first_text(inner))), None)
    if isinstance(value, dict):
        return first_text(value.get("name") or value.get("@value"))
    return tidy(value) or None if isinstance(value, str) else None


def _first(found: Iterable[tuple[str, float, str | None]]) -> Choice[str] | None:
    candidates = [Candidate(tidy(value), source, weight) for source, weight, value in found if value and tidy(value)]
    return choose(candidates, str.casefold)


def read_site_name(structured: Structured, url: str) -> Choice[str] | None:
    """What the site calls itself."""
    names = [("og:site_name", 0.9, structured.first_meta("og:site_name"))]
    names += [("json-ld", 0.6, first_text(node.get("isPartOf"))) for node in structured.articles[:1]]
    names += [("json-ld:website", 0.7, first_text(node)) for node in _of_type(structured, "website")]
    names += [("application-name", 0.5, structured.first_meta("application-name", "apple-mobile-web-app-title"))]
    names += [("host", 0.2, host_of(url) or None)]
    return _first(names)


def read_publisher(structured: Structured) -> Choice[str] | None:
    """The publisher's name."""
    names = [("json-ld", 0.9, first_text(node.get("publisher"))) for node in structured.articles[:2]]
    names += [
        ("meta", 0.6, structured.first_meta("dc.publisher", "dcterms.publisher", "publisher", "citation_publisher"))
    ]
    names += [("microdata", 0.6, next(iter(structured.microdata.get("publisher", ())), None))]
    return _first((source, weight, value) for source, weight, value in names if value and "://" not in value)


def _of_type(structured: Structured, kind: str) -> Iterator[Node]:
    return (node for node in structured.nodes if kind in (kinds := types_of(node)) and "person" not in kinds)


def site_names(structured: Structured, url: str) -> tuple[str, ...]:
    """All that the site, its publisher and its host are called, to tell from headlines and persons."""
    host = host_of(url)
    names = [structured.first_meta("og:site_name"), structured.first_meta("application-name"), host, site_of(url)]
    names += [site_of(url).split(".")[0], structured.first_meta("dc.publisher", "publisher")]
    names += [first_text(node.get("publisher")) for node in structured.articles]
    names += [first_text(node) for node in _of_type(structured, "website")]
    names += [
        first_text(node) for kind in ("newsmediaorganization", "organization") for node in _of_type(structured, kind)
    ][:5]
    names += [(structured.first_meta("twitter:site") or "").lstrip("@")]
    return tuple(dict.fromkeys(name for name in names if name and 1 < len(name) < 80))


def read_section(structured: Structured) -> Choice[str] | None:
    """The section or desk."""
    names = [("json-ld", 0.8, first_text(node.get("articleSection"))) for node in structured.articles[:2]]
    names += [
        ("article:section", 0.8, structured.first_meta("article:section")),
        ("meta", 0.6, structured.first_meta(*load_table("meta")["section"])),
        ("microdata", 0.6, next(iter(structured.microdata.get("articlesection", ())), None)),
        ("breadcrumb", 0.4, _breadcrumb(structured)),
    ]
    first = ((source, weight, value.split(",")[0].strip()) for source, weight, value in names if value)
    return _first(named for named in first if len(named[2]) < MAX_TAG and "://" not in named[2])


def section_names(structured: Structured) -> tuple[str, ...]:
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


def read_tags(structured: Structured) -> Choice[tuple[str, ...]] | None:
    """Keywords, each once, in the order of the first source that names any."""
    named = [("json-ld", 0.8, _texts(node.get("keywords"))) for node in structured.articles[:2]]
    named += [("article:tag", 0.8, list(structured.meta.get("article:tag", ())))]
    for name, weight in (("parsely-tags", 0.7), ("news_keywords", 0.7), ("sailthru.tags", 0.7), ("keywords", 0.6)):
        named.append((name, weight, list(structured.meta.get(name, ()))[:1]))
    found = [Candidate(tags, source, weight) for source, weight, texts in named if (tags := _tags(texts))]
    return choose(found[:1], lambda tags: tags)


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for inner in values if (text := first_text(inner))]


def _tags(texts: list[str]) -> tuple[str, ...]:
    pieces = [piece for text in texts for piece in re.split(r"\s*[,;、，]\s*", tidy(text))] if len(texts) < 3 else texts
    tags: dict[str, str] = {}
    for piece in pieces:
        tag = tidy(piece).strip(" #\"'")
        if tag and len(tag) <= MAX_TAG and "://" not in tag:
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())[:MAX_TAGS]


def read_description(structured: Structured) -> Choice[str] | None:
    """The page's own summary."""
    found = [
        ("og:description", 0.8, structured.first_meta("og:description")),
        ("description", 0.7, structured.first_meta("description", "dc.description", "dcterms.abstract")),
        ("twitter:description", 0.6, structured.first_meta("twitter:description")),
    ]
    found[1:1] = [("json-ld", 0.75, first_text(node.get("description"))) for node in structured.articles[:1]]
    return _first((source, weight, value[:2000] if value else None) for source, weight, value in found)


def read_access(structured: Structured) -> Choice[Access] | None:
    """Whether the text is free to read, by what the page declares."""
    tables = load_table("meta")
    words = tables["access"]
    found: list[Candidate[Access]] = []
    if structured.is_accessible_for_free is not None:
        found.append(Candidate("free" if structured.is_accessible_for_free else "paid", "json-ld", 0.8))
    for name in tables["tier"]:
        for value in structured.meta.get(name, ())[:1]:
            word = value.strip().lower()
            if word in words["metered"]:
                found.append(Candidate("metered", name, 0.9))
            elif word in words["paid"] or (name.endswith("paywall") and word in {"true", "1", "yes"}):
                found.append(Candidate("paid", name, 0.8))
            elif word in words["free"] or (name.endswith("paywall") and word in {"false", "0", "no"}):
                found.append(Candidate("free", name, 0.8))
    return choose(found, str)


def read_kind(structured: Structured) -> Choice[str] | None:
    """The type of article: schema.org's without *Article*, or what OpenGraph says."""
    kind = structured.article_type
    if kind and ARTICLE_TYPES[kind] >= 2:
        return choose([Candidate(kind.removesuffix("article") or "article", "json-ld", 0.8)], str)
    declared = structured.first_meta("og:type")
    return choose([Candidate(declared.lower(), "og:type", 0.5)], str) if declared else None
