"""What a path of a site is answered with, before conditions and compression: no sockets here."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from http import HTTPStatus

from examples.newsroom.feeds import announcements, changed_at, content_type, render_feed
from examples.newsroom.pages import base_url, render_page
from examples.newsroom.source import Article, FeedSource, Site


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path is answered with.

    Attributes:
        validators: the headers, by their names in lower case, that a client may revalidate with.
    """

    status: int
    content_type: str
    body: bytes
    location: str | None = None
    modified_at: datetime | None = None
    validators: tuple[str, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """Type, validators and target of the answer."""
        headers = {"Content-Type": self.content_type}
        if self.location:
            headers["Location"] = self.location
        if "etag" in self.validators:
            # Weak, for the compressed and the plain form are not the same bytes (RFC 9110, 8.8.3.3).
            headers["ETag"] = f'W/"{hashlib.sha256(self.body).hexdigest()[:20]}"'
        if "last-modified" in self.validators and self.modified_at:
            headers["Last-Modified"] = format_datetime(self.modified_at, usegmt=True)
        return headers

    def is_known(self, if_none_match: str | None, if_modified_since: str | None) -> bool:
        """Whether the client's copy is current; If-None-Match rules out If-Modified-Since (RFC 9110, 13.2.2)."""
        if self.status != HTTPStatus.OK:
            return False
        if if_none_match is not None:
            return self.headers.get("ETag") in {tag.strip() for tag in if_none_match.split(",")}
        changed = self.headers.get("Last-Modified")
        if not if_modified_since or not changed:
            return False
        try:
            return parsedate_to_datetime(changed) <= parsedate_to_datetime(if_modified_since)
        except (TypeError, ValueError):
            return False


def answer_site(site: Site, path: str, port: int, readers: int) -> Answer:
    """What the site answers; ``readers`` is what the live widgets of its pages count."""
    bare = without_tracking(path)
    if bare in site.failures:
        return answer_text(site.failures[bare], "This page fails on purpose.")
    if bare in site.redirects:
        return Answer(301, "text/plain", b"", location=base_url(site, port) + site.redirects[bare])
    if bare == "/robots.txt" and site.robots is not None:
        return answer_text(HTTPStatus.OK, site.robots)
    if bare == "/":
        return _answer_home(site)
    for feed in site.feeds:
        if bare == feed.path:
            return _answer_feed(site, feed, port)
    for article in site.articles.values():
        if bare == article.path:
            return _answer_page(site, article, port, readers)
    return answer_text(HTTPStatus.NOT_FOUND, "There is no such page.")


def answer_text(status: int, message: str) -> Answer:
    """A plain message."""
    return Answer(int(status), "text/plain; charset=utf-8", (message + "\n").encode())


def without_tracking(path: str) -> str:
    """The path without the parameters that feeds add, for a page is the same with and without them.

    >>> without_tracking("/artikel.php?id=7&utm_source=feed")
    '/artikel.php?id=7'
    """
    bare, _, query = path.partition("?")
    kept = "&".join(part for part in query.split("&") if part and not part.startswith("utm_"))
    return f"{bare}?{kept}" if kept else bare


def _answer_page(site: Site, article: Article, port: int, readers: int) -> Answer:
    body = _encoded(site, render_page(site, article, port, readers))
    changed = article.modified_at or article.published_at
    return Answer(200, f"text/html; charset={site.encoding}", body, modified_at=changed, validators=site.validators)


def _answer_feed(site: Site, feed: FeedSource, port: int) -> Answer:
    body = _encoded(site, render_feed(site, feed, port))
    changed = changed_at(announcements(site, feed, port))
    kind = f"{content_type(feed)}; charset={site.encoding}"
    return Answer(200, kind, body, modified_at=changed, validators=("etag", "last-modified"))


def _answer_home(site: Site) -> Answer:
    articles = site.articles.values()
    links = "".join(f'<li><a href="{escape(article.path)}">{escape(article.title)}</a></li>' for article in articles)
    page = f"<!doctype html><title>{escape(site.title)}</title><h1>{escape(site.title)}</h1><ul>{links}</ul>"
    return Answer(200, f"text/html; charset={site.encoding}", _encoded(site, page))


def _encoded(site: Site, text: str) -> bytes:
    return text.encode(site.encoding, "xmlcharrefreplace")
