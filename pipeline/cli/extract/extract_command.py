"""``news extract``: articles from saved pages, without a database."""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import click

from pipeline.cli.output import format_json
from pipeline.cli.page_sources import load_page_file
from pipeline.config import Settings
from pipeline.errors import ConfigError, ExtractError, ungrouped
from pipeline.model import Article
from pipeline.runtime.workers import Workers


@click.command()
@click.option("--jobs", type=click.IntRange(min=1), help="Processes; NEWS_JOBS, or one for each core, by default.")
@click.pass_obj
def extract_command(settings: Settings, jobs: int | None) -> None:
    """Read JSON lines {"id", "url", "path"} on standard input, write the articles as JSON lines.

    PATH is a page: .html, or .html.gz. Each line of the answer has id, url, title, authors, published_at, language,
    text, removed and more, in the order in which pages are done; a page without an article has error and message in
    place of the text. The exit code is 1 if a page could not be read at all.

    \b
    Example:
      echo '{"id": 1, "url": "https://example.org/a", "path": "a.html.gz"}' | news extract --jobs 4
    """
    with ungrouped():
        failed = asyncio.run(_extract_all(settings, jobs or settings.jobs, sys.stdin, sys.stdout))
    if failed:
        raise click.ClickException(f"{failed} pages could not be read; their lines say why")


async def _extract_all(settings: Settings, jobs: int, source: TextIO, sink: TextIO) -> int:
    failed = 0

    def write(answer: dict[str, Any], *, is_failure: bool) -> None:
        nonlocal failed
        failed += is_failure
        sink.write(format_json(answer) + "\n")
        sink.flush()

    async with Workers(jobs, settings.extract_timeout, **settings.reading_options) as workers:
        slots = asyncio.Semaphore(workers.jobs * 3)

        async def answer(request: dict[str, Any]) -> None:
            try:
                write(await _extract(workers, request), is_failure=False)
            except (ExtractError, ConfigError, ValueError) as error:
                reason = error.reason if isinstance(error, ExtractError) else "unreadable"
                about = {key: request.get(key) for key in ("id", "url")}
                write(about | {"error": reason, "message": str(error), "text": ""}, is_failure=True)
            finally:
                slots.release()

        async with asyncio.TaskGroup() as tasks:
            for request in _requests(source):
                await slots.acquire()
                tasks.create_task(answer(request))
    return failed


def _requests(source: TextIO) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(source, start=1):
        if not line.strip():
            continue
        try:
            request = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"line {number} is no JSON: {error}") from error
        if not isinstance(request, dict) or not isinstance(request.get("path"), str):
            raise ConfigError(f'line {number}: an object with "id", "url" and "path" is needed')
        yield request


async def _extract(workers: Workers, request: dict[str, Any]) -> dict[str, Any]:
    page = await asyncio.to_thread(load_page_file, Path(request["path"]), request.get("url"))
    outcome = await workers.extract(page, page.url, None)
    answer: dict[str, Any] = {"id": request.get("id"), "url": page.url}
    if isinstance(outcome, Article):
        return answer | {name: value for name, value in asdict(outcome).items() if name != "blocks"}
    nothing: dict[str, Any] = {"authors": [], "published_at": None, "language": None, "text": ""}
    return answer | nothing | {"error" if name == "reason" else name: value for name, value in asdict(outcome).items()}
