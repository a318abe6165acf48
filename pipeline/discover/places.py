"""Where a site's feeds may be: what its pages say, and where they commonly are. Pure."""

import re
from urllib.parse import urljoin, urlsplit

from lxml.etree import _Element

from pipeline.decode import parse_html
from pipeline.errors import ExtractError
from pipeline.links import absolute_url, read_links
from pipeline.model import Response

WELL_KNOWN = (
    "feed",
    "rss",
    "rss.xml",
    "feed.xml",
    "atom.xml",
    "index.xml",
    "feeds",
    "index.rdf",
    "feed.json",
    "feed/atom",
)
"""Paths that CMSs give their feeds, the commonest first: WordPress, Drupal, Jekyll and Hugo, Ghost, Movable Type."""

FEED_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "text/rss+xml"}
)
"""Media types that only feeds have."""

VAGUE_TYPES = frozenset({"application/json", "application/xml", "text/xml"})
"""Media types that feeds have too: believed where the address looks like one. WordPress gives the first to its API."""

_PATH = re.compile(r"(?:^|/)(?:feeds?|rss|atom)(?:/|\.|$)|\.(?:rss|atom|rdf)$|(?:rss|feed|atom)[\w-]*\.(?:xml|json)$")
_QUERY = re.compile(r"(?:^|&)(?:feed|format|alt|type|output)=(?:feed|rss2?|atom|rdf)(?:&|$)")
_FEED_HOSTS = re.compile(r"^(?:feeds?|rss)\d?\.|(?:^|\.)feedburner\.com$")
_COMMENTED = re.compile(r"(?:comments (?:on|for)|kommentare (?:zu|für)|commentaires (?:sur|pour))[ :]")
_COMMENTS = re.compile(r"(?:^|/)comments?(?:/feed|/default|\.(?:xml|rss|atom))|/feed/comments|[?&]feed=comments")


def announced_feeds(response: Response) -> list[str]:
    """The feeds that a page, or the header of its response, calls its alternates, in order."""
    links = read_links(response.headers.get("link", ""), response.url)
    found = [link.url for link in links if "alternate" in link.rels and _may_be_feed(link.type, link.url)]
    tree, base = _tree(response)
    if tree is not None:
        for link in tree.iter("link"):
            rels = (link.get("rel") or "").lower().split()
            url = absolute_url(link.get("href") or "", base)
            kind = (link.get("type") or "").partition(";")[0].strip().lower()
            if url and ("feed" in rels or ("alternate" in rels and _may_be_feed(kind, url))):
                found.append(url)
    return list(dict.fromkeys(found))


def linked_feeds(response: Response) -> list[str]:
    """The links of a page that look like feeds of its site, in order."""
    tree, base = _tree(response)
    if tree is None:
        return []
    urls = (absolute_url((link.get("href") or "").partition("#")[0], base) for link in tree.iter("a"))
    return list(dict.fromkeys(url for url in urls if url and looks_like_feed(url) and _is_ours(url, response.url)))


def looks_like_feed(url: str) -> bool:
    """Whether an address is of a form that feeds have.

    >>> looks_like_feed("https://a.example/world/rss.xml"), looks_like_feed("https://a.example/feedback")
    (True, False)
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(
        _PATH.search(parts.path.lower())
        or _QUERY.search(parts.query.lower())
        or _FEED_HOSTS.search((parts.hostname or "").lower())
    )


def is_of_comments(url: str, title: str | None) -> bool:
    """Whether a feed is one of readers' comments, by its address and title.

    >>> is_of_comments("https://a.example/comments/feed/", None), is_of_comments("https://a.example/comment/rss", None)
    (True, False)
    """
    return bool(_COMMENTED.match((title or "").lower()) or _COMMENTS.search(url.lower()))


def well_known(url: str) -> list[str]:
    """Where feeds commonly are on the site of a URL, and below the folder that the URL names."""
    parts = urlsplit(url)
    folder = parts.path if parts.path.endswith("/") else parts.path.rpartition("/")[0] + "/"
    near = [urljoin(url, folder + name) for name in WELL_KNOWN[:3]] if folder != "/" else []
    return near + [urljoin(url, f"/{name}") for name in WELL_KNOWN]


def root_of(url: str) -> str:
    """The front page of the site of a URL."""
    return urljoin(url, "/")


def _may_be_feed(kind: str, url: str) -> bool:
    return kind in FEED_TYPES or (kind in VAGUE_TYPES and looks_like_feed(url))


def _is_ours(url: str, page: str) -> bool:
    """Links to other sites' feeds are recommendations; services that host feeds carry a site's own."""
    host, ours = (urlsplit(one).hostname or "" for one in (url, page))
    ours = ours.removeprefix("www.")
    return host == ours or host.endswith(f".{ours}") or bool(_FEED_HOSTS.search(host))


def _tree(response: Response) -> tuple[_Element | None, str]:
    try:
        tree = parse_html(response.body, response.charset, response.url).tree
    except ExtractError:
        return None, response.url
    base = next((base.get("href") for base in tree.iter("base") if base.get("href")), "")
    return tree, absolute_url(base or "", response.url) or response.url
