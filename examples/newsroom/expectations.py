"""The files that follow from the newsroom's sources: ``expected/*.json`` and ``feeds.opml``, for the default port."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examples.newsroom.pages import base_url, expected
from examples.newsroom.source import load

PORT = 8650
EDITIONS = (1, 2)
EXPECTED = Path(__file__).parent / "expected"
OPML = Path(__file__).parent / "feeds.opml"


def write_expected(directory: Path = EXPECTED) -> list[Path]:
    """Write the expected results and the list of feeds for the default port; returns the files written."""
    files = expected_files()
    for path in directory.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    OPML.write_text(opml(), "utf-8")
    return [*(directory / name for name in files), OPML]


def expected_files() -> dict[str, dict[str, Any]]:
    """The expected results by file name; an edited article has a second file, ending in ``.edition-2.json``."""
    start = datetime(2026, 1, 1, tzinfo=UTC)  # any: a relative time is written as it stands in the source
    first, second = (
        {
            f"{site.name}_{article.slug}": expected(site, article, PORT)
            for site in load(edition, start).values()
            for article in site.articles.values()
        }
        for edition in EDITIONS
    )
    edited = {f"{name}.edition-2.json": content for name, content in second.items() if _is_edited(first[name], content)}
    return {f"{name}.json": content for name, content in first.items()} | edited


def _is_edited(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return any(first[name] != second[name] for name in ("title", "paragraphs", "modified_at"))


def opml() -> str:
    """The list of all feeds on the default port."""
    sites = load(1, datetime(2026, 1, 1, tzinfo=UTC)).values()
    outlines = [
        f'    <outline type="rss" text="{feed.title}" xmlUrl="{base_url(site, PORT)}{feed.path}"'
        f' htmlUrl="{base_url(site, PORT)}/" language="{site.language}"/>'
        for site in sites
        for feed in site.feeds
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n'
        "  <head><title>The sample newsroom</title></head>\n  <body>\n" + "\n".join(outlines) + "\n  </body>\n</opml>\n"
    )
