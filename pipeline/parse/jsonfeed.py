"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/), read tolerantly: any value may have any type."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.errors import FeedError
from pipeline.html.encodings import decode
from pipeline.http.link_header import absolute_url
from pipeline.model import ParsedFeed
from pipeline.parse.dates import parse_date
from pipeline.parse.fields import (
    MAX_TITLE,
    EntryContext,
    Fields,
    IdentifiedEntry,
    distinct_names,
    distinguish_entries,
    identify_entry,
    language_tag,
)
from pipeline.parse.frame import MAX_ENTRIES
from pipeline.parse.plain import plain_paragraphs, plain_text, shorten_text, usable_link
from pipeline.urls import canonical_url

_BLANK = re.compile(r"[ \t\r\n\ufeff\0]*")
_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/[\d.]+", re.IGNORECASE)
# Numbers stay as they are written: an id such as 10000000000000000001 has no shorter form that is the same.
# Line breaks within strings, which JSON forbids, are let through.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


def parse_json_feed(body: bytes, url: str, charset: str | None = None, now: datetime | None = None) -> ParsedFeed:
    """The feed and its entries, in the order of the document.

    Raises FeedError: ``not_a_feed``; ``unparsable`` where it ends before its first item does.
    """
    text, _ = decode(body, charset)
    read = _read(text)
    head = read.head
    if not _is_feed(head, has_items=read.has_items):
        raise FeedError(url, "not_a_feed", f"JSON that begins with {text.lstrip()[:60]!r}")
    if read.malformed and not read.items:
        raise FeedError(url, "unparsable", read.malformed)
    language = language_tag(_text(head.get("language")))
    site_url = _canonical(head.get("home_page_url"), url)
    context = EntryContext(url=url, site_url=site_url, format="json", now=now, language=language)
    self_url = _address(head.get("feed_url"), url)
    base = site_url or self_url or url
    entries = [_entry(item, head, base, context) for item in read.items]
    usable = [entry for entry in entries if entry]
    return ParsedFeed(
        title=shorten_text(plain_text(_text(head.get("title")), "text"), MAX_TITLE) or None,
        site_url=site_url,
        language=language,
        format="json",
        entries=distinguish_entries(usable),
        skipped=len(entries) - len(usable) + read.left_out,
        malformed=read.malformed,
        cut=read.malformed is not None,
        hub_urls=tuple(dict.fromkeys(_hubs(head.get("hubs"), url))),
        self_url=self_url,
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """The outermost object.

    Attributes:
        head: its members without the items.
        malformed: why the rest could not be read; what stands before that place is whole.
    """

    head: dict[str, Any] = field(default_factory=dict)
    items: tuple[Any, ...] = ()
    left_out: int = 0
    has_items: bool = False
    malformed: str | None = None


def _read(text: str) -> _Read:
    """Member by member and item by item, so that those before a broken one are kept; beyond the end nothing is read."""
    head: dict[str, Any] = {}
    items: list[Any] = []
    left_out = 0
    has_items = False
    malformed = None
    reader = _Reader(text)
    try:
        for key in reader.members():
            if key != "items" or not reader.take("["):
                head.setdefault(key, reader.value())
                continue
            has_items = True
            for item in reader.elements():
                if len(items) < MAX_ENTRIES:
                    items.append(item)
                else:
                    left_out += 1
    except (ValueError, RecursionError) as error:
        malformed = f"broken JSON: {error}"[:200]
    return _Read(head, tuple(items), left_out, has_items, malformed)


class _Reader:
    """A place in a JSON text; raises `ValueError` where the text breaks the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def take(self, mark: str) -> bool:
        """Whether the mark is next; then it is behind us."""
        self._skip()
        is_next = self._text.startswith(mark, self._at)
        self._at += len(mark) * is_next
        return is_next

    def value(self) -> Any:  # noqa: ANN401  # JSON holds anything
        """The value that comes next."""
        self._skip()
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next; the caller takes each value before it asks for the next key."""
        self._expect("{")
        while not self.take("}"):
            key = self.value()
            self._expect(":")
            yield str(key)
            if not self.take(","):
                self._expect("}")
                return

    def elements(self) -> Iterator[Any]:
        """The elements of the array whose bracket was taken; a comma behind the last one is let through."""
        while not self.take("]"):
            yield self.value()
            if not self.take(","):
                self._expect("]")
                return

    def _expect(self, mark: str) -> None:
        if not self.take(mark):
            raise ValueError(f"no {mark} at character {self._at}")

    def _skip(self) -> None:
        self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing too


def _is_feed(head: dict[str, Any], *, has_items: bool) -> bool:
    if _VERSION.match(_text(head.get("version")).strip()):
        return True
    # Without its version, the format is told by the members that no other has.
    return has_items and ("home_page_url" in head or "feed_url" in head)


def _entry(item: Any, head: dict[str, Any], base: str, context: EntryContext) -> IdentifiedEntry | None:  # noqa: ANN401
    if not isinstance(item, dict):
        return None
    guid = plain_text(_identifier(item.get("id")), "text")
    # The permanent address before that of what is written about; an id is an address in the ideal case (1.1).
    addresses = [_text(item.get(key)) for key in ("url", "external_url")]
    addresses += [guid] if re.match("https?://", guid, re.IGNORECASE) else []
    links = (usable_link(address, base) for address in addresses)
    url = next((link for link in links if link and link != context.url), None)
    content = plain_paragraphs(_text(item.get("content_html")))
    content = content or plain_paragraphs(_text(item.get("content_text")), "text")
    fields = Fields(
        guid=guid,
        url=url,
        title=plain_text(_text(item.get("title")), "text"),
        summary=plain_text(_text(item.get("summary")), "text"),
        contents=(content,) if content else (),
        authors=distinct_names(_authors(item) or _authors(head)),
        tags=distinct_names(plain_text(tag, "text") for tag in _tags(item.get("tags"))),
        published_at=parse_date(_text(item.get("date_published")), context.now, context.language),
        updated_at=parse_date(_text(item.get("date_modified")), context.now, context.language),
    )
    return identify_entry(fields, context)


def _text(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else ""


def _identifier(value: Any) -> str:  # noqa: ANN401
    """Other types are coerced to strings, as the format asks for; an object has one spelling whatever its order."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, sort_keys=True)


def _authors(holder: dict[str, Any]) -> list[str]:
    """Of 1.1 (``authors``) or of 1.0 (``author``); names alone have been seen in place of objects."""
    for value in (holder.get("authors"), holder.get("author")):
        people = value if isinstance(value, list) else [value]
        names = [_text(person.get("name") if isinstance(person, dict) else person) for person in people]
        if shown := [name for name in (plain_text(name, "text") for name in names) if name]:
            return shown
    return []


def _tags(value: Any) -> list[str]:  # noqa: ANN401
    if isinstance(value, str):
        return value.split(",")
    return [_text(tag) for tag in value] if isinstance(value, list) else []


def _hubs(hubs: Any, url: str) -> Iterator[str]:  # noqa: ANN401
    for hub in hubs if isinstance(hubs, list) else []:
        if isinstance(hub, dict) and _text(hub.get("type")).lower() == "websub":
            address = _address(hub.get("url"), url)
            if address:
                yield address


def _canonical(value: Any, base: str) -> str | None:  # noqa: ANN401
    try:
        return canonical_url(_text(value), base)
    except ValueError:
        return None


def _address(value: Any, url: str) -> str | None:  # noqa: ANN401
    """As written, since it is asked for literally."""
    return absolute_url(value, url) if isinstance(value, str) and value.strip() else None
