"""``news gate``: pages of one's own whose text must stay as it is, whatever changes in rules and versions."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from pipeline.cli.explain import fetch_page, read_page
from pipeline.cli.output import console, json_option, print_json
from pipeline.config import Settings
from pipeline.errors import ConfigError, ExtractError
from pipeline.extract import extract_article
from pipeline.model import Article

KEPT = ("title", "authors", "published_at", "section", "text")
"""What of an answer is pinned; the text as a list of its paragraphs, which one can edit."""

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("gate"),
    show_default=True,
    help="Where the pages and their answers are kept; belongs under version control.",
)


@click.group()
def gate() -> None:
    """Pin pages of your own: a gate that shuts when one of them no longer comes out as it should.

    Each page is two files in a folder: the page as it came, and the answer, JSON that you may correct by hand.
    """


@gate.command()
@click.argument("source", metavar="URL|FILE")
@click.option("--url", help="Address of the page in FILE.")
@folder_option
@click.pass_obj
def add(settings: Settings, source: str, url: str | None, folder: Path) -> None:
    """Pin a page with what comes out of it now.

    Look at the answer before you trust it; correct it where it is wrong, and the gate stays shut until that is right.

    \b
    Examples:
      news gate add https://example.org/2026/11/22/story.html
      news gate add page.html.gz --url https://example.org/story
    """
    if source.lower().startswith(("http://", "https://")):
        response, _ = asyncio.run(fetch_page(settings, source))
    else:
        response = read_page(Path(source), url)
    pin = Pin(folder, _name_of(response.url))
    folder.mkdir(parents=True, exist_ok=True)
    pin.page.write_bytes(gzip.compress(response.body, mtime=0))
    about = {"url": response.url, "fetched_at": response.fetched_at.isoformat(), "charset": response.charset}
    _write(pin.answer, about | {"expected": _read(settings, about, response.body)})
    click.echo(f"{pin.answer}: look whether it is right")


@gate.command()
@folder_option
@click.option("--accept", is_flag=True, help="Take what comes out now for right, and pin that.")
@json_option
@click.pass_obj
def run(settings: Settings, folder: Path, accept: bool, as_json: bool) -> None:
    """Read all pinned pages again and show what comes out otherwise; the exit code is 1 if anything does.

    \b
    Examples:
      news gate run
      NEWS_RULES_DIR=rules news gate run --folder tests/gate
    """
    pins = [Pin(folder, path.name.removesuffix(".json")) for path in sorted(folder.glob("*.json"))]
    if not pins:
        raise ConfigError(f"{folder} holds no page; `news gate add URL` pins one")
    changed = []
    for pin in pins:
        about, body = pin.read()
        answer = _read(settings, about, body)
        if answer != about["expected"]:
            changed.append(
                {"url": about["url"], "file": str(pin.answer), "diff": list(_diff(about["expected"], answer))}
            )
            if accept:
                _write(pin.answer, about | {"expected": answer})
    if as_json:
        print_json({"pages": len(pins), "changed": changed})
    else:
        for each in changed:
            console().print(f"\n[bold]{each['url']}[/bold]  {each['file']}")
            console().print("\n".join(each["diff"]), markup=False)
        console().print(f"{len(pins)} pages, {len(changed)} come out otherwise", markup=False)
    if changed and not accept:
        raise click.ClickException("the gate is shut; `--accept` pins what comes out now")


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned page: its two files."""

    folder: Path
    name: str

    @property
    def page(self) -> Path:
        """The page as it came, gzipped."""
        return self.folder / f"{self.name}.html.gz"

    @property
    def answer(self) -> Path:
        """Its address, and what should come out."""
        return self.folder / f"{self.name}.json"

    def read(self) -> tuple[dict[str, Any], bytes]:
        """Both.

        Raises:
            ConfigError: one of them is missing or broken.
        """
        try:
            about = json.loads(self.answer.read_text(encoding="utf-8"))
            datetime.fromisoformat(about["fetched_at"])
            return {"url": about["url"], "expected": about["expected"], **about}, gzip.decompress(
                self.page.read_bytes()
            )
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{self.answer}: {type(error).__name__}: {error}") from error


def _name_of(url: str) -> str:
    """A file's name that people recognise, different for each address."""
    host = (urlsplit(url).hostname or "page").removeprefix("www.")
    return f"{host}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _read(settings: Settings, about: dict[str, Any], body: bytes) -> dict[str, Any]:
    try:
        found = extract_article(
            body,
            about["url"],
            charset=about.get("charset"),
            fetched_at=datetime.fromisoformat(about["fetched_at"]),
            rules_dir=settings.rules_dir,
        )
    except ExtractError as error:
        return {"error": error.reason}
    if not isinstance(found, Article):
        return {"error": found.reason}
    answer = {name: getattr(found, name) for name in KEPT}
    published = found.published_at.isoformat() if found.published_at else None
    return answer | {"authors": list(found.authors), "published_at": published, "text": found.text.split("\n\n")}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _diff(expected: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    # Its first two lines would name files.
    yield from list(unified_diff(_lines(expected), _lines(answer), n=1, lineterm=""))[2:]


def _lines(answer: dict[str, Any]) -> list[str]:
    """One line for each value, and for each paragraph of the text."""
    listed = ((key, value if isinstance(value, list) else [value]) for key, value in answer.items())
    return [f"{key}: {line}" for key, lines in listed for line in lines]
