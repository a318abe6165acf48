"""Learned boilerplate on made-up sites: what of it is found, what true text is lost, and the bytes and time it takes.

    python -m bench.recurrence                     # five sites of 200 pages, SQLite
    python -m bench.recurrence --sites 20 --pages 1000 --blocks 25 --same-day

Each page is read with what the site had taught until then, as a crawl does. Figures are of pages after the 20th.
"""

import argparse
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from pipeline.config import Settings
from pipeline.extract import PageInput, extract_article
from pipeline.model import Article
from pipeline.store.articles.block_counts import CountedArticle, count_blocks
from pipeline.store.articles.learned_boilerplate import load_learned_texts
from pipeline.store.connection.engine import open_archive, reading, write
from pipeline.store.migrations.upgrade import upgrade_schema
from pipeline.store.schema.tables import SiteBlockRow
from tests.support.recurring import made_site

AFTER = 20
SITE = "site.example"


def crawl(engine, pages, site=SITE):
    """Read and count the pages in order; returns the counts of what was removed and what was left."""
    counts = Counter()
    for place, page in enumerate(pages):
        with reading(engine) as connection:
            learned = load_learned_texts(connection, site)
        began = time.process_time()
        plain = extract_article(PageInput(page.html.encode(), f"https://{site}/{place}"))
        middle = time.process_time()
        found = extract_article(PageInput(page.html.encode(), f"https://{site}/{place}", learned=learned))
        counts["extra_ms"] += 1000 * (time.process_time() - middle - (middle - began))
        if not isinstance(found, Article) or not isinstance(plain, Article):
            counts["no article"] += 1
            continue
        began = time.process_time()
        write(
            engine, count_blocks, [CountedArticle(place + 1, site, found.blocks, page.published_at)], page.published_at
        )
        counts["sql_ms"] += 1000 * (time.process_time() - began)
        counts["pages"] += 1
        if place < AFTER:
            continue
        gone = {removed.text for removed in found.removed if removed.reason == "recurring"}
        text, others = set(found.text.split("\n\n")), {one.text for one in found.removed} - gone
        counts["found"] += sum(block in gone for block in page.printed)
        counts["left"] += sum(block in text for block in page.printed)
        counts["cleaned otherwise"] += sum(block in others for block in page.printed)
        counts["true removed"] += sum(block in gone for block in page.true)
        counts["true kept"] += sum(block in text for block in page.true)
    return counts


def size(engine):
    """Rows, and the bytes of what they hold."""
    with reading(engine) as connection:
        rows = connection.execute(sa.select(SiteBlockRow.__table__)).mappings().all()
    fixed = 2 * 8 + 4 * 4 + 5 * 4 + 2 * 8 + 2 * 27 + len(SITE)  # keys and days, bands, numbers, articles, times
    return len(rows), sum(fixed + len((row["sample"] or "").encode()) for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=5)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument("--same-day", action="store_true", help="all articles are of one day")
    options = parser.parse_args()
    step = timedelta(seconds=60) if options.same_day else timedelta(hours=5)
    for seed in range(options.sites):
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(database_url=f"sqlite:///{Path(folder) / 'news.db'}")
            with open_archive(settings, check_schema=False) as engine:
                upgrade_schema(engine)
                counts = crawl(engine, made_site(seed, options.pages, options.blocks, step))
                rows, held = size(engine)
        removed = counts["found"] + counts["true removed"]
        print(
            f"site {seed}: precision {counts['found'] / max(removed, 1):.3f}, "
            f"recall {counts['found'] / max(counts['found'] + counts['left'], 1):.3f}, "
            f"true paragraphs removed {counts['true removed']} of {counts['true removed'] + counts['true kept']}; "
            f"{rows} rows, {held} bytes; {counts['extra_ms'] / max(counts['pages'], 1):.2f} ms a page, "
            f"{counts['sql_ms'] / max(counts['pages'], 1):.2f} ms of SQL; {counts['cleaned otherwise']} otherwise, "
            f"{counts['no article']} without article"
        )


if __name__ == "__main__":
    main()
