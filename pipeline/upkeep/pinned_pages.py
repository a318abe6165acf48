"""Pages that are pinned with what should come out of them: by `news gate add`, or by marks that readers set.

A pin is two files in a folder: the page as it came, and the answer, JSON that one may correct by hand. Where a reader
said only that a value is wrong, and not what is right, ``wrong`` keeps what must not come out again.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pipeline.config import Settings
from pipeline.errors import ConfigError, ExtractError
from pipeline.extract import PageInput, extract_article
from pipeline.model import Article, NoArticle, Response
from pipeline.text.removed_places import order_by_page
from pipeline.urls import without_www

PINNED_FIELDS: Final = ("title", "authors", "published_at", "section", "text")
"""What of an answer is pinned; the text as a list of its paragraphs, which one can edit."""

ANOTHER: Final = "another than this, which is marked as wrong"


@dataclass(frozen=True, slots=True)
class PinnedPage:
    """One pinned page: its two files."""

    folder: Path
    name: str

    @property
    def page(self) -> Path:
        """The page as it came, gzipped."""
        return self.folder / f"{self.name}.html.gz"

    @property
    def answer(self) -> Path:
        """Its address, and what should come out, as JSON."""
        return self.folder / f"{self.name}.json"

    def load(self) -> tuple[dict[str, Any], bytes]:
        """The answer with the address, and the page's bytes.

        Raises ConfigError: one of them is missing or broken.
        """
        try:
            about = json.loads(self.answer.read_text(encoding="utf-8"))
            datetime.fromisoformat(about["fetched_at"])
            return {"url": about["url"], "expected": about["expected"], **about}, gzip.decompress(
                self.page.read_bytes()
            )
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{self.answer}: {type(error).__name__}: {error}") from error

    def save(self, about: Mapping[str, Any], body: bytes | None = None) -> None:
        """Write the answer, and with ``body`` the page. Raises ConfigError: they cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if body is not None:
                self.page.write_bytes(gzip.compress(body, mtime=0))
            hidden = self.folder / f".{self.name}.part"
            hidden.write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            hidden.replace(self.answer)
        except OSError as error:
            raise ConfigError(f"{self.folder}: pages cannot be pinned there: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class ReaderMark:
    """What a reader says of an article.

    Attributes:
        kind: ``keep`` (it was wrongly removed), ``drop`` (it should go), or the field of `PINNED_FIELDS` that is wrong.
        text: the paragraph, or the value that is wrong.
        right: the value that is right, where the reader knows.
    """

    kind: str
    text: str
    right: str = ""


def find_pin(folder: Path, url: str) -> PinnedPage:
    """The pin of an address, whether it is there or not, under a recognisable name, unique for each address."""
    host = without_www(urlsplit(url).hostname or "page")
    return PinnedPage(folder, f"{host}-{hashlib.sha256(url.encode()).hexdigest()[:8]}")


def list_pins(folder: Path) -> list[PinnedPage]:
    """All pins of a folder, by name."""
    return [PinnedPage(folder, path.name.removesuffix(".json")) for path in sorted(folder.glob("*.json"))]


def describe_page(response: Response) -> dict[str, Any]:
    """What a pin says of a page beside the answer."""
    return {"url": response.url, "fetched_at": response.fetched_at.isoformat(), "charset": response.charset}


def read_answer(settings: Settings, about: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """What comes out of a page now."""
    try:
        outcome = extract_article(
            PageInput(
                body,
                about["url"],
                charset=about.get("charset"),
                fetched_at=datetime.fromisoformat(about["fetched_at"]),
                **settings.reading_options,
            )
        )
    except ExtractError as error:
        return {"error": error.reason}
    return answer_of(outcome)


def answer_of(outcome: Article | NoArticle) -> dict[str, Any]:
    """What a pin keeps of an outcome."""
    if not isinstance(outcome, Article):
        return {"error": outcome.reason}
    answer = {name: getattr(outcome, name) for name in PINNED_FIELDS}
    published = outcome.published_at.isoformat() if outcome.published_at else None
    return answer | {"authors": list(outcome.authors), "published_at": published, "text": outcome.text.split("\n\n")}


def compare_answer(about: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Lines of a difference between what should come out and what does; none where it is as it should be."""
    expected = dict(about["expected"])
    for name, values in about.get("wrong", {}).items():
        if name in answer:
            expected[name] = ANOTHER if answer[name] in values else answer[name]
    # Its first two lines would name files.
    return list(unified_diff(_lines(expected), _lines(answer), n=1, lineterm=""))[2:]


def _lines(answer: Mapping[str, Any]) -> list[str]:
    """One line for each value, and for each paragraph of the text."""
    listed = ((key, value if isinstance(value, list) else [value]) for key, value in answer.items())
    return [f"{key}: {line}" for key, lines in listed for line in lines]


def apply_mark(about: dict[str, Any], mark: ReaderMark, page: str, at: datetime) -> dict[str, Any]:
    """The pin's answer with a reader's mark taken in; ``page`` is the page's HTML, which has the order of paragraphs.

    Raises ConfigError: the mark says nothing that an answer could hold.
    """
    expected = dict(about["expected"])
    if "error" in expected:
        raise ConfigError(f"no article comes out of the page now ({expected['error']}): there is nothing to mark in it")
    wrong = {name: list(values) for name, values in about.get("wrong", {}).items()}
    if mark.kind == "drop":
        expected["text"] = [paragraph for paragraph in expected["text"] if paragraph != mark.text]
    elif mark.kind == "keep":
        expected["text"] = list(_put_back(expected["text"], mark.text, page))
    elif mark.right:
        expected[mark.kind] = _read_value(mark.kind, mark.right)
        wrong.pop(mark.kind, None)
    elif mark.kind in PINNED_FIELDS:
        wrong.setdefault(mark.kind, []).append(expected[mark.kind])
    else:
        raise ConfigError(f"{mark.kind!r} is nothing that can be marked")
    noted = {"kind": mark.kind, "text": mark.text, "right": mark.right, "at": at.isoformat(timespec="seconds")}
    return about | {"expected": expected, "wrong": wrong, "marks": [*about.get("marks", []), noted]}


def _put_back(paragraphs: Sequence[str], text: str, page: str) -> Iterator[str]:
    if text in paragraphs:
        yield from paragraphs
        return
    for is_kept, index in order_by_page(paragraphs, [text], page):
        yield paragraphs[index] if is_kept else text


def _read_value(name: str, text: str) -> object:
    if name == "authors":
        return [author.strip() for author in text.split(";") if author.strip()]
    if name != "published_at":
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time in ISO form, such as 2026-11-22T08:00+01:00") from error
    if at.tzinfo is None:
        raise ConfigError(f"{text!r} has no zone: write 2026-11-22T08:00+01:00, or Z at the end for UTC")
    return at.isoformat()
