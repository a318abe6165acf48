"""An afternoon's script: feeds to SQLite with aiohttp, feedparser and two processes of trafilatura.

    python asyncio_script.py FEEDS.txt ARTICLES.db [--fast]

It keeps no raw pages, asks no robots.txt, forgets what failed and starts anew each time: the least that does the job.
"""

import argparse
import asyncio
import sqlite3
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import feedparser
import trafilatura

PROCESSES = 2
CONNECTIONS_OF_A_HOST = 4
COMMIT_EVERY = 100


def extract(html: bytes, url: str, fast: bool) -> tuple[str, str | None, str | None, str | None, str] | None:
    """URL, title, author, date and text of a page; None where there is no text."""
    document = trafilatura.bare_extraction(html, url=url, fast=fast, with_metadata=True)
    if document is None or not document.text:
        return None
    return url, document.title, document.author, document.date, document.text


async def ingest(feeds: list[str], database: sqlite3.Connection, fast: bool) -> int:
    """Fetch all entries of all feeds and store what is extracted from them; the number of articles."""
    loop, limits = asyncio.get_running_loop(), defaultdict(lambda: asyncio.Semaphore(CONNECTIONS_OF_A_HOST))
    stored = 0
    connector = aiohttp.TCPConnector(limit=256, limit_per_host=CONNECTIONS_OF_A_HOST)
    with ProcessPoolExecutor(PROCESSES) as pool:
        async with aiohttp.ClientSession(connector=connector) as session:

            async def get(url: str) -> bytes:
                async with limits[urlsplit(url).netloc], session.get(url) as answer:
                    answer.raise_for_status()
                    return await answer.read()

            async def take(url: str) -> None:
                nonlocal stored
                row = await loop.run_in_executor(pool, extract, await get(url), url, fast)
                if row:
                    database.execute("INSERT OR REPLACE INTO article VALUES (?, ?, ?, ?, ?)", row)
                    stored += 1
                    if stored % COMMIT_EVERY == 0:
                        database.commit()

            async def read(feed: str) -> None:
                parsed = feedparser.parse(await get(feed))
                await asyncio.gather(*(take(entry.link) for entry in parsed.entries), return_exceptions=True)

            await asyncio.gather(*map(read, feeds), return_exceptions=True)
    database.commit()
    return stored


def main() -> None:
    """Read the command line, and say how many articles there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("feeds", type=Path)
    parser.add_argument("database")
    parser.add_argument("--fast", action="store_true", help="trafilatura without its fallbacks")
    options = parser.parse_args()
    database = sqlite3.connect(options.database)
    database.execute("CREATE TABLE IF NOT EXISTS article (url TEXT PRIMARY KEY, title, author, date, text)")
    print(asyncio.run(ingest(options.feeds.read_text().split(), database, options.fast)))


if __name__ == "__main__":
    main()
