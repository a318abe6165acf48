"""Where a site's feeds may be, and those that were found: what is known of each, which are the same. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urljoin, urlsplit

from lxml.etree import _Element

from pipeline.errors import ExtractError
from pipeline.html.decode import parse_html
from pipeline.http.link_header import absolute_url, read_links
from pipeline.model import Entry, FeedFormat, ParsedFeed, Response
from pipeline.schedule.feed_state import permanent_target
from pipeline.urls import MAX_URL_LENGTH, is_on_site

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
    urls = [link.url for link in links if "alternate" in link.rels and _may_be_feed(link.type, link.url)]
    tree, base = _tree(response)
    if tree is not None:
        for link in tree.iter("link"):
            rels = (link.get("rel") or "").lower().split()
            url = absolute_url(link.get("href") or "", base)
            kind = (link.get("type") or "").partition(";")[0].strip().lower()
            if url and ("feed" in rels or ("alternate" in rels and _may_be_feed(kind, url))):
                urls.append(url)
    return list(dict.fromkeys(urls))


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
    if len(url) > MAX_URL_LENGTH:
        return False
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


def common_feed_urls(url: str) -> list[str]:
    """Where feeds commonly are on the site of a URL, and below the folder that the URL names."""
    parts = urlsplit(url)
    folder = parts.path if parts.path.endswith("/") else parts.path.rpartition("/")[0] + "/"
    near = [urljoin(url, folder + name) for name in WELL_KNOWN[:3]] if folder != "/" else []
    return near + [urljoin(url, f"/{name}") for name in WELL_KNOWN]


def front_page_url(url: str) -> str:
    """The front page of the site of a URL."""
    return urljoin(url, "/")


def _may_be_feed(kind: str, url: str) -> bool:
    return kind in FEED_TYPES or (kind in VAGUE_TYPES and looks_like_feed(url))


def _is_ours(url: str, page: str) -> bool:
    """Links to other sites' feeds are recommendations; services that host feeds carry a site's own."""
    return is_on_site(url, urlsplit(page).hostname or "") or bool(_FEED_HOSTS.search(urlsplit(url).hostname or ""))


def _tree(response: Response) -> tuple[_Element | None, str]:
    try:
        tree = parse_html(response.body, response.charset, response.url).tree
    except ExtractError:
        return None, response.url
    base = next((base.get("href") for base in tree.iter("base") if base.get("href")), "")
    return tree, absolute_url(base or "", response.url) or response.url


MAX_SAMPLES = 3

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FeedCandidate:
    """A feed that was found and read.

    Attributes:
        url: the address to subscribe to: that asked for, or the one that it has moved to for good.
        kind: its format.
        entries: how many it lists.
        newest_at: publication of its newest entry; None where no entry has a date.
        per_day: entries a day, by the dates of those listed; None where these tell nothing.
        samples: titles of its newest entries.
        found: how: ``address itself``, ``announced``, ``linked``, ``common path`` or ``robots.txt``.
    """

    url: str
    title: str | None
    kind: FeedFormat
    entries: int
    newest_at: datetime | None
    per_day: float | None
    samples: tuple[str, ...]
    found: str
    _content: frozenset[str] = field(default=frozenset(), repr=False, compare=False)

    @property
    def is_of_comments(self) -> bool:
        """Whether it holds readers' comments."""
        return is_of_comments(self.url, self.title)

    def as_dict(self) -> dict[str, object]:
        """What is known of it, by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if not name.startswith("_")}


def describe_candidate(asked: str, response: Response, parsed: ParsedFeed, origin: str) -> FeedCandidate:
    """What is known of a feed that was read."""
    dated = sorted(filter(None, map(_moment, parsed.entries)))
    return FeedCandidate(
        url=permanent_target(asked, response.redirects, response.url) or asked,
        title=parsed.title,
        kind=parsed.format,
        entries=len(parsed.entries),
        newest_at=dated[-1] if dated else None,
        per_day=_per_day(dated),
        samples=_samples(parsed.entries),
        found=origin,
        _content=frozenset(entry.url or entry.guid for entry in parsed.entries),
    )


def rank_candidates(candidates: Iterable[FeedCandidate]) -> list[FeedCandidate]:
    """The candidates without those that repeat another, the best first: comments last, empty ones before them.

    The same feed is often announced as RSS and as Atom, over http and https, directly and through a service: what
    lists the same entries is the same, and the first found is kept, over https where it is found over both.
    """
    kept: list[FeedCandidate] = []
    for candidate in candidates:
        same = next((index for index, known in enumerate(kept) if _are_same(candidate, known)), None)
        if same is None:
            kept.append(candidate)
        elif kept[same].url.startswith("http:") and candidate.url.startswith("https:"):
            kept[same] = candidate
    return sorted(kept, key=lambda candidate: (candidate.is_of_comments, not candidate.entries))


def _are_same(a: FeedCandidate, b: FeedCandidate) -> bool:
    return _bare(a.url) == _bare(b.url) or (bool(a._content) and a._content == b._content)


def _bare(url: str) -> str:
    return url.partition("://")[2].rstrip("/")


def _samples(entries: tuple[Entry, ...]) -> tuple[str, ...]:
    """Titles of the newest entries; of the first where not all have dates, since feeds put the newest first."""
    dated = {entry.guid: moment for entry in entries if (moment := _moment(entry))}
    newest = (
        sorted(entries, key=lambda entry: dated[entry.guid], reverse=True) if len(dated) == len(entries) else entries
    )
    return tuple(entry.title for entry in newest if entry.title)[:MAX_SAMPLES]


def _moment(entry: Entry) -> datetime | None:
    return entry.published_at or entry.updated_at


def _per_day(dated: list[datetime]) -> float | None:
    if len(dated) < 2 or dated[-1] - dated[0] < timedelta(minutes=1):
        return None
    return round((len(dated) - 1) / ((dated[-1] - dated[0]) / _DAY), 2)
