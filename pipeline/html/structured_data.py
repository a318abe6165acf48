"""What a page declares of itself for machines, as it stands: JSON-LD, microdata and meta elements.

Nothing is believed, cleaned or weighed here; `pipeline.metadata` does that. Reading survives any tree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from lxml.etree import _Element

from pipeline.html.decode import Elements
from pipeline.html.jsonld import JsonLdNode, Node, index_by_id, parse_script, resolve_references, types_of, walk_nodes
from pipeline.html.microdata import read_microdata
from pipeline.html.xpath import text_of
from pipeline.text.words import clean_characters, split_words
from pipeline.urls import without_www

# How surely a node of this type is the article of its page.
_TYPES = {
    5: "NewsArticle ReportageNewsArticle AnalysisNewsArticle OpinionNewsArticle BackgroundNewsArticle"
    " ReviewNewsArticle AskPublicNewsArticle AdvertiserContentArticle SatiricalArticle LiveBlogPosting",
    4: "Article BlogPosting TechArticle ScholarlyArticle Report MedicalScholarlyArticle",
    3: "SocialMediaPosting DiscussionForumPosting Interview Review CriticReview",
    2: "Recipe HowTo LearningResource Legislation PodcastEpisode Podcast Dataset",
    1: "CreativeWork VideoObject Event Product FAQPage QAPage MedicalWebPage ItemPage",
    0: "WebPage AboutPage ProfilePage CollectionPage",
}
ARTICLE_TYPES: Mapping[str, int] = {name.lower(): weight for weight, names in _TYPES.items() for name in names.split()}
PAGE_TYPES = frozenset(name for name, weight in ARTICLE_TYPES.items() if weight == 0)
MAX_VALUE = 5_000  # characters of one meta element that are kept

__all__ = ["ARTICLE_TYPES", "Node", "Structured", "read_structured", "types_of"]


@dataclass(frozen=True, slots=True)
class Structured:
    """What the page declares of itself.

    Attributes:
        pages: the JSON-LD nodes of types such as WebPage, references resolved.
        nodes: every JSON-LD node, in document order.
        microdata: the properties of the article item, names in lower case.
        meta: the contents of meta elements by name or property in lower case, in document order.
        links: addresses of link elements by their rel in lower case.
        article_body: JSON-LD ``articleBody`` as given (may hold markup), None where there is none.
        word_count: JSON-LD ``wordCount``.
        is_accessible_for_free: JSON-LD ``isAccessibleForFree`` or its meta; None where not said.
    """

    articles: tuple[Node, ...] = ()
    pages: tuple[Node, ...] = ()
    nodes: tuple[Node, ...] = ()
    microdata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    meta: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    article_body: str | None = None
    word_count: int | None = None
    is_accessible_for_free: bool | None = None

    @property
    def article(self) -> Node | None:
        """The JSON-LD node that best describes this page's article."""
        return self.articles[0] if self.articles else None

    @property
    def article_type(self) -> str | None:
        """The schema.org type of the article, in lower case."""
        kinds = [kind for node in self.articles for kind in types_of(node) if kind in ARTICLE_TYPES]
        return kinds[0] if kinds else None

    def first_meta(self, *names: str) -> str | None:
        """The content of the first of these meta elements that says anything."""
        return next((value for name in names for value in self.meta.get(name, ()) if value), None)


def read_structured(tree: _Element, url: str | None = None, elements: Elements | None = None) -> Structured:
    """Everything that the page declares; ``url`` helps to tell its article from others that it describes.

    ``elements`` are those of the tree, where they have been gathered.
    """
    elements = elements or Elements(tree.getroottree().getroot() if tree.getparent() is not None else tree)
    meta, links = _read_meta(elements), _read_links(elements)
    nodes = walk_nodes(value for text in _scripts(elements) for value in parse_script(text))
    index = index_by_id(nodes)
    addresses = {key for key in map(_address_key, (url, *links.get("canonical", ()), *meta.get("og:url", ()))) if key}
    headlines = {key for key in map(_headline_key, _headlines(elements, meta)) if key}
    articles = tuple(resolve_references(item.node, index) for item in _choose(nodes, addresses, headlines))
    pages = tuple(resolve_references(item.node, index) for item in nodes if PAGE_TYPES & set(types_of(item.node)))
    return Structured(
        articles=articles,
        pages=pages[:4],
        nodes=tuple(item.node for item in nodes),
        microdata=read_microdata(elements),
        meta=meta,
        links=links,
        article_body=_article_body(articles),
        word_count=_word_count(articles),
        is_accessible_for_free=_is_free(articles, pages, meta),
    )


def _scripts(elements: Elements) -> list[str]:
    scripts = elements["script"]
    return ["".join(map(str, s.itertext())) for s in scripts if "ld+json" in (s.get("type") or "").lower()]


def _read_meta(elements: Elements) -> dict[str, tuple[str, ...]]:
    contents: dict[str, tuple[str, ...]] = {}
    for element in elements["meta"]:
        content = clean_characters((element.get("content") or "").strip()[:MAX_VALUE])
        if not content:
            continue
        names = element.get("property") or element.get("name") or element.get("http-equiv") or ""
        if not names and element.get("itemprop"):
            names = "itemprop:" + (element.get("itemprop") or "")
        for name in dict.fromkeys((names.strip().lower(), *names.lower().split())):
            contents[name] = (*contents.get(name, ())[:100], content)
    return contents


def _read_links(elements: Elements) -> dict[str, tuple[str, ...]]:
    addresses: dict[str, tuple[str, ...]] = {}
    for element in elements["link"]:
        address = (element.get("href") or "").strip()
        for relation in (element.get("rel") or "").lower().split():
            if address and relation in {"canonical", "amphtml", "author", "shortlink", "image_src", "publisher"}:
                addresses[relation] = (*addresses.get(relation, ()), address)
    return addresses


def _headlines(elements: Elements, meta: Mapping[str, tuple[str, ...]]) -> list[str]:
    titles = [text_of(element) for element in elements["h1"][:3]]
    return [*titles, *meta.get("og:title", ()), *meta.get("twitter:title", ())]


def _headline_key(text: object) -> str:
    return " ".join(split_words(str(text))) if text else ""


def _address_key(value: object) -> str:
    """What two addresses of one page have in common: host without www, path without its slash and extension."""
    if not isinstance(value, str):
        return ""
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return ""
    path = unquote(parts.path).rstrip("/").removesuffix(".html").removesuffix(".amp").lower()
    return f"{without_www(parts.hostname or '')}{path}" if path else ""


def _addresses(node: Node) -> set[str]:
    values = [node.get("url"), node.get("@id"), node.get("mainEntityOfPage")]
    listed = [inner for value in values for inner in (value if isinstance(value, list) else [value])]
    plain = (value.get("@id") or value.get("url") if isinstance(value, dict) else value for value in listed)
    return {key for key in map(_address_key, plain) if key}


def _choose(nodes: list[JsonLdNode], addresses: set[str], headlines: set[str]) -> list[JsonLdNode]:
    """The nodes that describe this page's article, the best first.

    A node about something else (a teaser, a comment) is one only if it has this page's address or headline.
    """
    scored = []
    for item in nodes:
        weight = max((ARTICLE_TYPES.get(kind, -1) for kind in types_of(item.node)), default=-1)
        if weight <= 0:
            continue
        here = bool(_addresses(item.node) & addresses)
        titled = bool({_headline_key(item.node.get(key)) for key in ("headline", "name")} & headlines)
        if item.elsewhere and not (here or titled):
            continue
        filled = sum(bool(item.node.get(key)) for key in ("headline", "datePublished", "author", "articleBody"))
        scored.append((weight + 4 * here + 4 * titled + filled - 3 * item.elsewhere - item.depth, here or titled, item))
    scored.sort(key=lambda entry: -entry[0])
    if any(sure for _, sure, _ in scored):
        scored = [entry for entry in scored if entry[1]] + [entry for entry in scored if not entry[1]][:1]
    return [item for _, _, item in scored[:6]]


def _article_body(articles: tuple[Node, ...]) -> str | None:
    for node in articles:
        body = node.get("articleBody")
        text = "\n".join(map(str, body)) if isinstance(body, list) else body
        if isinstance(text, str) and text.strip():
            return text
    return None


def _word_count(articles: tuple[Node, ...]) -> int | None:
    for node in articles:
        digits = re.sub(r"[.,\s]", "", str(node.get("wordCount") or ""))
        if digits.isascii() and digits.isdigit() and 0 < len(digits) < 8:
            return int(digits) or None
    return None


def _is_free(articles: tuple[Node, ...], pages: tuple[Node, ...], meta: Mapping[str, tuple[str, ...]]) -> bool | None:
    declared = [node.get("isAccessibleForFree") for node in (*articles, *pages)]
    declared += meta.get("isaccessibleforfree", ())
    for value in declared:
        word = str(value).strip().lower().rsplit("/", 1)[-1]
        if word in {"true", "false"}:
            return word == "true"
    return None
