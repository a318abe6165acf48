"""What feedparser made of one entry becomes an `Entry`."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipeline.parse.dates import parse_date
from pipeline.parse.fields import MAX_NAME, Context, Fields, announced, distinct
from pipeline.parse.identity import Announced
from pipeline.parse.plain import Kind, plain_paragraphs, plain_text
from pipeline.urls import canonical_url, is_same_site

_ALTERNATES = {"alternate", "http://www.iana.org/assignments/relation/alternate"}
_PAGES = {"text/html", "application/xhtml+xml", "html", "xhtml", ""}
_KINDS: dict[str, Kind] = {"application/xhtml+xml": "xhtml", "text/plain": "text"}
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def read_entry(raw: dict[str, Any], context: Context) -> Announced | None:
    """The entry with its identity; None where it has nothing to be known by."""
    published_at, updated_at = _dates(raw, context)
    tags = dict.get(raw, "tags") or ()
    # dict.get, because feedparser's own gives "published" for a missing "updated", and "summary" for "description".
    fields = Fields(
        guid=plain_text(str(dict.get(raw, "id") or ""), "text"),
        url=_url(raw, context),
        title=text_of(raw, "title"),
        summary=text_of(raw, "summary"),
        contents=tuple(_contents(raw)),
        authors=distinct(_author(author) for author in dict.get(raw, "authors") or ()),
        tags=distinct(plain_text(str(tag.get("label") or tag.get("term") or "")) for tag in tags),
        published_at=published_at,
        updated_at=updated_at,
    )
    return announced(fields, context)


def text_of(raw: dict[str, Any], key: str) -> str:
    """The field as plain text; empty where there is none."""
    detail = dict.get(raw, f"{key}_detail") or {}
    return plain_text(str(dict.get(raw, key) or ""), _kind(detail.get("type")))


def _kind(media_type: str | None) -> Kind:
    # feedparser calls a title of RSS text unless it looks like markup; the rest of RSS is markup.
    return _KINDS.get(media_type or "", "html")


def _contents(raw: dict[str, Any]) -> Iterator[str]:
    for content in dict.get(raw, "content") or ():
        if not str(content.get("type") or "").startswith(("image/", "audio/", "video/", "application/octet")):
            yield plain_paragraphs(str(content.get("value") or ""), _kind(content.get("type")))


def _url(raw: dict[str, Any], context: Context) -> str | None:
    """The first link of the entry that leads to a page."""
    base = context.url
    if context.version.startswith("rss") and context.site_url and not is_same_site(context.url, context.site_url):
        base = context.site_url  # feeds that a service delivers: their relative links lead to the site
    for link in _links(raw):
        try:
            url = canonical_url(link, base)
        except ValueError:
            continue
        if url != context.url:
            return url
    return None


def _links(raw: dict[str, Any]) -> Iterator[str]:
    guid = str(dict.get(raw, "id") or "")
    # Where a service counts clicks, this is the address that it leads to.
    yield str(dict.get(raw, "feedburner_origlink") or dict.get(raw, "pheedo_origlink") or "")
    alternates = [x for x in dict.get(raw, "links") or () if x.get("rel", "alternate") in _ALTERNATES and x.get("href")]
    yield from (str(link["href"]) for link in alternates if link.get("type", "") in _PAGES)
    link = str(dict.get(raw, "link") or "")
    # feedparser takes every guid for a link that does not deny it; "4711" is none.
    if link != guid or re.match(r"https?://|/", link):
        yield link
    yield from (str(link["href"]) for link in alternates if not re.search("rss|atom|xml|json", link.get("type", "")))


def _dates(raw: dict[str, Any], context: Context) -> tuple[datetime | None, datetime | None]:
    published, created, updated = (
        parse_date(str(dict.get(raw, key) or ""), context.now) for key in ("published", "created", "updated")
    )
    if not context.version.startswith("atom"):
        # In RSS this is dc:date, which RSS 1.0 has in place of a date of publication.
        published = published or created or updated
    return published or created, updated


def _author(author: dict[str, Any]) -> str:
    name = plain_text(str(author.get("name") or "")[: 2 * MAX_NAME])
    if len(str(author.get("email") or "").rpartition(".")[2]) == 4:
        # feedparser takes no more than four letters of "jo@paper.online (Jo)" for the top-level domain, and leaves
        # "ne (Jo)".
        name = re.sub(r"^[a-z]+(?: \(|$)|<[a-z]+>?$", "", name)
    return _MAIL.sub("", name).strip(" ()<>,;")
