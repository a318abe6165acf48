"""The newsroom's content, read from ``sites/`` into frozen values; README.md describes the format.

Everything else follows from these values: the pages, the feeds, and what extraction is expected to give.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any

SITES = Path(__file__).parent / "sites"
DOMAIN = "newsroom.example"

KEPT = frozenset({"p", "subhead", "quote", "item"})
"""The kinds of block that are the article's own text; every other kind is boilerplate."""

_BLOCK = re.compile(r"\[(?P<kind>[a-z-]*)(?:@(?P<edition>\d))?\] (?P<text>.+)", re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_EMPHASIS = re.compile(r"(\*\*?)(\S(?:.*?\S)?)\1")
_RELATIVE = re.compile(r"start-(\d+)([mh])")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of an article's body: text of its own, or boilerplate that stands between."""

    kind: str
    text: str

    @property
    def is_kept(self) -> bool:
        """Whether the block belongs to the article's text."""
        return self.kind in KEPT

    @property
    def lines(self) -> tuple[str, ...]:
        """The block's lines without markup; boilerplate may have several, divided by ``|``."""
        return (plain(self.text),) if self.is_kept else tuple(map(plain, self.text.split(" | ")))


@dataclass(frozen=True, slots=True)
class Article:
    """An article as its site publishes it in one edition.

    Attributes:
        path: of its page, from the slash on, with the query where the site has one.
        announced_as: the path that feeds give, where that is another (a redirect).
        relative: the publication time as written, where that is relative to the start of the server.
    """

    site: str
    slug: str
    path: str
    title: str
    language: str
    published_at: datetime
    modified_at: datetime | None
    authors: tuple[str, ...]
    section: str
    tags: tuple[str, ...]
    description: str
    blocks: tuple[Block, ...]
    announced_as: str | None = None
    relative: str | None = None

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The text that extraction is to keep."""
        return tuple(line for block in self.blocks if block.is_kept for line in block.lines)


@dataclass(frozen=True, slots=True)
class FeedSource:
    """How a site announces its articles; ``entries`` are links that lead to no article of ours."""

    path: str
    format: str
    title: str
    description: str = ""
    articles: tuple[str, ...] | None = None
    guid: bool = True
    full_content: bool = False
    malformed: bool = False
    tracking: str = ""
    entries: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A publisher: its template, the markup of each kind of block, and the lines that stand on all its pages."""

    name: str
    title: str
    language: str
    template: str
    chrome: Mapping[str, tuple[str, ...]]
    markup: Mapping[str, str]
    bios: Mapping[str, str]
    feeds: tuple[FeedSource, ...]
    articles: Mapping[str, Article]
    encoding: str = "utf-8"
    utc_offset: timedelta = timedelta(0)
    date_format: str = "%d.%m.%Y, %H:%M"
    robots: str | None = None
    redirects: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    validators: tuple[str, ...] = ("etag", "last-modified")

    @property
    def host(self) -> str:
        """The site's host name."""
        return f"{self.name}.{DOMAIN}"


def plain(text: str) -> str:
    """The text without its inline markup.

    >>> plain("a *new* [quay](/quay), **now**")
    'a new quay, now'
    """
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", text))


def inline_html(escaped: str) -> str:
    """Inline markup of an already escaped text as HTML.

    >>> inline_html("a *new* [quay](/quay)")
    'a <em>new</em> <a href="/quay">quay</a>'
    """
    linked = _LINK.sub(r'<a href="\2">\1</a>', escaped)
    return _EMPHASIS.sub(lambda match: _emphasised(match[1], match[2]), linked)


def _emphasised(stars: str, text: str) -> str:
    tag = "strong" if len(stars) == 2 else "em"
    return f"<{tag}>{text}</{tag}>"


def load(edition: int, started_at: datetime, directory: Path = SITES) -> dict[str, Site]:
    """All sites by host name, as they stand in one edition."""
    sites = (_read_site(folder, edition, started_at) for folder in sorted(directory.iterdir()) if folder.is_dir())
    return {site.host: site for site in sites}


def _read_site(folder: Path, edition: int, started_at: datetime) -> Site:
    site = tomllib.loads((folder / "site.toml").read_text("utf-8"))
    articles = [_read_article(path, site, edition, started_at) for path in sorted(folder.glob("articles/*.md"))]
    return Site(
        name=folder.name,
        title=site["title"],
        language=site["language"],
        template=(folder / "page.html").read_text("utf-8"),
        chrome={slot: tuple([lines] if isinstance(lines, str) else lines) for slot, lines in site["chrome"].items()},
        markup=site["markup"],
        bios=site.get("bios", {}),
        feeds=tuple(_feed(feed) for feed in site["feeds"]),
        articles={article.slug: article for article in articles},
        encoding=site.get("encoding", "utf-8"),
        utc_offset=timedelta(hours=site.get("utc_offset_hours", 0)),
        date_format=site["date_format"],
        robots=site.get("robots"),
        redirects=site.get("redirects", {}),
        failures=site.get("failures", {}),
        validators=tuple(site.get("validators", ("etag", "last-modified"))),
    )


def _feed(feed: dict[str, Any]) -> FeedSource:
    lists = {name: tuple(value) for name, value in feed.items() if isinstance(value, list)}
    return FeedSource(**{**feed, **lists})


def _read_article(path: Path, site: Mapping[str, Any], edition: int, started_at: datetime) -> Article:
    _, head, body = path.read_text("utf-8").split("+++\n", 2)
    fields = tomllib.loads(head)
    fields |= fields.get("edition", {}).get(str(edition), {})
    blocks = _blocks(body, edition)
    if origin := fields.get("text_of"):
        blocks = _kept_of(path.parents[2] / origin, edition) + blocks
    published = fields["published_at"]
    published_at = _instant(published, started_at)
    pattern = Template(site["path"])
    return Article(
        site=path.parent.parent.name,
        slug=path.stem,
        path=pattern.substitute(slug=path.stem, id=fields.get("id", ""), date=published_at.strftime("%Y/%m/%d")),
        title=fields["title"],
        language=fields.get("language", site["language"]),
        published_at=published_at,
        modified_at=_instant(fields["modified_at"], started_at) if "modified_at" in fields else None,
        authors=tuple(fields.get("authors", ())),
        section=fields["section"],
        tags=tuple(fields.get("tags", ())),
        description=fields["description"],
        blocks=blocks,
        announced_as=fields.get("announced_as"),
        relative=published if isinstance(published, str) else None,
    )


def _instant(written: datetime | str, started_at: datetime) -> datetime:
    if isinstance(written, datetime):
        return written.astimezone(UTC)
    match = _RELATIVE.fullmatch(written)
    if match is None:
        raise ValueError(f"{written!r} is neither a time nor of the form start-2h")
    number = int(match[1])
    return started_at - (timedelta(hours=number) if match[2] == "h" else timedelta(minutes=number))


def _blocks(body: str, edition: int) -> tuple[Block, ...]:
    blocks = []
    for text in filter(None, (" ".join(part.split()) for part in re.split(r"\n\s*\n", body))):
        match = _BLOCK.fullmatch(text)
        if match is None:
            blocks.append(Block("p", text))
        elif match["edition"] in {None, str(edition)}:
            blocks.append(Block(match["kind"] or "p", match["text"]))
    return tuple(blocks)


def _kept_of(path: Path, edition: int) -> tuple[Block, ...]:
    return tuple(block for block in _blocks(path.read_text("utf-8").split("+++\n", 2)[2], edition) if block.is_kept)
