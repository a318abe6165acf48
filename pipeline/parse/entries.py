"""One entry of RSS or Atom becomes an `Entry`.

Of what a format and an extension both say (``title`` and ``dc:title``), the format's own element counts.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.parse.dates import parse_date
from pipeline.parse.elements import (
    Element,
    attribute_of,
    base_of,
    descend,
    element_text,
    first_element_text,
    markup_of,
    name_of,
)
from pipeline.parse.fields import MAX_NAME, EntryContext, Fields, distinct_names
from pipeline.parse.plain import plain_paragraphs, plain_text, usable_link
from pipeline.urls import is_same_site

Children = dict[str, list[Element]]
"""The elements of an entry, or of what stands around the entries, by name; all of them, in their order, under ``*``."""

_ALTERNATES = {"", "alternate", "http://www.iana.org/assignments/relation/alternate"}
_PAGES = {"text/html", "application/xhtml+xml", "html", "xhtml", ""}
_ABSOLUTE = re.compile(r"https?:|www\.|/", re.IGNORECASE)
_DOCUMENTS = re.compile("rss|atom|xml|json")
_MEDIA = frozenset({"media:group", "media:content"})
_NO_TEXT = ("image/", "audio/", "video/", "application/octet")

_TITLES = ("title", "dc:title")
_SUMMARIES = frozenset({"description", "summary", "abstract", "itunes:summary"})
_FALLBACKS = ("dc:description", "dcterms:abstract")
_CONTENTS = frozenset({"content", "content:encoded", "encoded", "fullitem", "body", "xhtml:body", "xhtml:div"})
_AUTHORS = frozenset({"author", "dc:creator", "dc:author", "creator", "itunes:author"})
_LABELS = frozenset({"category", "dc:subject", "subject", "itunes:category", "media:category"})
_LISTS = frozenset({"keywords", "tags", "media:keywords", "itunes:keywords"})
MAX_LIST = 10_000
"""Longest list of keywords that is read, in characters."""

_PUBLISHED = ("pubdate", "published", "issued", "dcterms:issued")
_CREATED = ("created", "dcterms:created")
_UPDATED = ("updated", "modified", "dcterms:modified", "dc:date", "date", "lastbuilddate")


def children_of(elements: Iterable[Element]) -> Children:
    """The elements by name; the parts of groups of media with them."""
    children: Children = defaultdict(list)
    for element in descend(elements, _MEDIA):
        children[name_of(element)].append(element)
        children["*"].append(element)
    return children


def read_fields(element: Element, context: EntryContext) -> Fields:
    """What the element says, read from its tree."""
    children = children_of(element)
    guid = plain_text(_guid(element, children), "text")
    published_at, updated_at = _dates(element, children, context)
    summary, contents = _texts(children)
    url = _url(element, children, guid, context)
    # The caption of a picture is no title, but better than no entry at all.
    titles = _TITLES if guid or url else (*_TITLES, "media:title")
    return Fields(
        guid=guid,
        url=url,
        title=read_feed_title(children, titles),
        summary=summary,
        contents=contents,
        authors=distinct_names(read_author_names(children) or _inherited(children, context)),
        tags=distinct_names(_tags(children)),
        published_at=published_at,
        updated_at=updated_at,
    )


def named(children: Children, names: Iterable[str]) -> Iterator[Element]:
    """The elements of these names, the first name's before the second's."""
    for name in names:
        yield from children.get(name, ())


def read_feed_title(children: Children, names: Iterable[str] = _TITLES) -> str:
    """The title as plain text, of the first of these names that has one; empty where there is none."""
    texts = (plain_text(*markup_of(element, "text")) for element in named(children, names))
    return next(filter(None, texts), "")


def _guid(element: Element, children: Children) -> str:
    about = next((str(value) for key, value in element.attrib.items() if str(key).endswith("}about")), "")
    return first_element_text(named(children, ("guid", "id"))) or about


def _texts(children: Children) -> tuple[str, tuple[str, ...]]:
    """The summary, and the whole text in one form or several: a second summary, of podcasts, is one."""
    summary, contents = "", list[str]()
    for element in children.get("*", ()):
        name = name_of(element)
        if name in _CONTENTS and not (attribute_of(element, "type") or "").startswith(_NO_TEXT):
            contents.append(plain_paragraphs(*markup_of(element, "text" if name == "content" else "html")))
        elif name in _SUMMARIES and not summary:
            summary = _summary(element)
        elif name in _SUMMARIES and not contents:
            contents.append(plain_paragraphs(*markup_of(element, "html")))
    summaries = filter(None, map(_summary, named(children, _FALLBACKS)))
    return summary or next(summaries, ""), tuple(filter(None, contents))


def _summary(element: Element) -> str:
    return plain_text(*markup_of(element, "html" if name_of(element).endswith("description") else "text"))


def _url(entry: Element, children: Children, guid: str, context: EntryContext) -> str | None:
    """The first link of the entry that leads to a page."""
    base = context.url
    if context.format == "rss" and context.site_url and not is_same_site(context.url, context.site_url):
        base = context.site_url  # feeds that a service delivers: their relative links lead to the site
    links = _links(entry, children, guid, is_atom=context.format == "atom")
    for link, element in (*links, (target_of(entry), entry)):
        url = usable_link(link, base_of(element, base))
        if url is not None and url != context.url:
            return url
    return None


def _links(entry: Element, children: Children, guid: str, *, is_atom: bool) -> Iterator[tuple[str, Element]]:
    """What may be the address of the page, the likeliest first."""
    # Where a service counts clicks, this is the address that it leads to.
    for element in named(children, ("feedburner:origlink", "pheedo:origlink")):
        yield element_text(element), element
    alternates = [link for link in children.get("link", ()) if relation_of(link) in _ALTERNATES]
    pages = [link for link in alternates if (attribute_of(link, "type") or "").lower() in _PAGES]
    for link in pages:
        text, target = element_text(link), target_of(link)
        is_text_first = not is_atom and _ABSOLUTE.match(text.strip())
        for address in (text, target) if is_text_first else (target, text):
            yield address, link
    for element in [*named(children, ("guid", "id"))] or [entry]:
        is_link = (attribute_of(element, "ispermalink") or "true").strip().lower() != "false"
        # Every guid is a link that does not deny it; "4711" is none.
        if is_link and _ABSOLUTE.match(guid):
            yield guid, element
    for link in alternates:
        if not _DOCUMENTS.search(attribute_of(link, "type") or ""):
            yield target_of(link) or element_text(link), link


def relation_of(link: Element) -> str:
    """The relation of a link in lower case; empty where it says none."""
    return (attribute_of(link, "rel") or "").strip().lower()


def target_of(link: Element) -> str:
    """Where the attributes of a link lead; empty where they do not say."""
    return attribute_of(link, "href") or attribute_of(link, "url") or attribute_of(link, "uri") or ""


def _dates(entry: Element, children: Children, context: EntryContext) -> tuple[datetime | None, datetime | None]:
    published, created, updated = (
        _date(map(element_text, named(children, names)), context) for names in (_PUBLISHED, _CREATED, _UPDATED)
    )
    updated = updated or _date([attribute_of(entry, "lastmod")], context)
    if context.format != "atom":
        # In RSS this is dc:date, which RSS 1.0 has in place of a date of publication.
        published = published or created or updated
    return published or created, updated


def _date(texts: Iterable[str | None], context: EntryContext) -> datetime | None:
    """The first of the texts that is a date."""
    return next(filter(None, (parse_date(text, context.now, context.language) for text in texts)), None)


def _tags(children: Children) -> Iterator[str]:
    for element in children.get("*", ()):
        if (name := name_of(element)) in _LABELS:
            labels = [attribute_of(element, key) for key in ("label", "term", "text")]
            yield plain_text(next(filter(None, labels), None) or element_text(element))
        elif name in _LISTS:
            yield from (plain_text(tag) for tag in element_text(element)[:MAX_LIST].split(","))


# --- Authors

_MAIL = re.compile(r"(?:mailto:)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?:\?subject=\S+)?", re.IGNORECASE)
_MAILED = re.compile(rf"{_MAIL.pattern}\s*\((?P<name>(?:[^()]|\([^()]*\))*)\)", re.IGNORECASE)
_EMPTY = re.compile(r"\(\s*\)|<\s*>|\[\s*\]|&lt;\s*&gt;")
_BRACKETED = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)\Z")


def read_author_names(children: Children) -> list[str]:
    """The names of authors, of people and of organisations; those that have but an address are left out."""
    people = (name for element in children.get("*", ()) if name_of(element) in _AUTHORS for name in _people(element))
    return [author for name in people if (author := clean_author(name))]


def _people(element: Element) -> Iterator[str]:
    names = [element_text(child) for child in element.iterdescendants() if name_of(child).endswith("name")]
    yield from names or [element_text(element) if not len(element) else element.text or ""]


def _inherited(children: Children, context: EntryContext) -> Iterable[str]:
    """Of an entry of Atom without authors, those of the feed that it comes from, or of this one (RFC 4287, 4.2.1)."""
    if context.format != "atom":
        return ()
    source = next(iter(children.get("source", ())), None)
    return (read_author_names(children_of(source)) if source is not None else ()) or context.authors


def clean_author(text: str) -> str:
    """The name in what stands for an author, without addresses and what set them apart.

    >>> [clean_author(text) for text in ("ana@paper.example (Ana (AFP))", "Bo <bo@paper.example>", "Ann Reed (WIRE)")]
    ['Ana (AFP)', 'Bo', 'Ann Reed (WIRE)']
    """
    name = _MAILED.sub(r"\g<name>", plain_text(text[: 4 * MAX_NAME]))
    name = _EMPTY.sub("", _MAIL.sub("", name)).strip(" <>[],;")
    name = _BRACKETED.sub(r"\1", name) if name.startswith("(") else name
    return " ".join((name if name.count("(") == name.count(")") else name.strip("()")).split())
