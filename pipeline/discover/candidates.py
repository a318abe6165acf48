"""Feeds that were found: what is known of each, which are the same, which come first. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.discover.places import is_of_comments
from pipeline.model import Entry, ParsedFeed, Response

MAX_SAMPLES = 3

_DAY = timedelta(days=1)
_PERMANENT = frozenset({301, 308})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feed that was found and read.

    Attributes:
        url: the address to subscribe to: that asked for, or the one that it has moved to for good.
        kind: ``rss``, ``atom``, ``json``, ``news sitemap`` or ``sitemap``.
        entries: how many it lists.
        newest_at: publication of its newest entry; None where no entry has a date.
        per_day: entries a day, by the dates of those listed; None where these tell nothing.
        samples: titles of its newest entries.
        found: how: ``address itself``, ``announced``, ``linked``, ``common path`` or ``robots.txt``.
    """

    url: str
    title: str | None
    kind: str
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


def candidate(asked: str, response: Response, parsed: ParsedFeed, found: str) -> Candidate:
    """What is known of a feed that was read."""
    dated = sorted(filter(None, map(_moment, parsed.entries)))
    return Candidate(
        url=lasting_url(asked, response),
        title=parsed.title,
        kind=kind_of(parsed.version),
        entries=len(parsed.entries),
        newest_at=dated[-1] if dated else None,
        per_day=_per_day(dated),
        samples=_samples(parsed.entries),
        found=found,
        _content=frozenset(entry.url or entry.guid for entry in parsed.entries),
    )


def lasting_url(asked: str, response: Response) -> str:
    """The address to keep: where redirects that are meant for good lead, as far as they all are (RFC 9110, 15.4)."""
    lasting = asked
    for place, (_, status) in enumerate(response.redirects):
        if status not in _PERMANENT:
            break
        rest = response.redirects[place + 1 :]
        lasting = rest[0][0] if rest else response.url
    return lasting


def kind_of(version: str) -> str:
    """The kind of feed that the parser's name of its format stands for.

    >>> [kind_of(version) for version in ("rss20", "atom10", "json11", "newssitemap", "sitemap", "")]
    ['rss', 'atom', 'json', 'news sitemap', 'sitemap', 'rss']
    """
    if version.startswith("newssitemap"):
        return "news sitemap"
    return next((kind for kind in ("atom", "json", "sitemap") if version.startswith(kind)), "rss")


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates without those that repeat another, the best first: comments last, empty ones before them.

    The same feed is often announced as RSS and as Atom, over http and https, directly and through a service: what
    lists the same entries is the same, and the first found is kept, over https where it is found over both.
    """
    kept: list[Candidate] = []
    for one in candidates:
        same = next((place for place, other in enumerate(kept) if _are_same(one, other)), None)
        if same is None:
            kept.append(one)
        elif kept[same].url.startswith("http:") and one.url.startswith("https:"):
            kept[same] = one
    return sorted(kept, key=lambda one: (one.is_of_comments, not one.entries))


def _are_same(one: Candidate, other: Candidate) -> bool:
    return _bare(one.url) == _bare(other.url) or (bool(one._content) and one._content == other._content)


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
