"""How well copies of articles are found, and what that costs: precision and recall of pairs, milliseconds an article.

    python -m bench.stories                              quality on made-up news
    python -m bench.stories --texts gold.jsonl           quality on real texts: one JSON object a line, with "body"
    python -m bench.stories --cost 10000 --cost 1000000 --database postgresql:///FOLDER        cost at two sizes

Of 2,000 articles, 300 groups are an original with one to four copies: 0 to 15 % of the words replaced, left out or
added, other headlines, every third one cut to half, on any site; they arrive in any order. The rest have texts of their
own in the same vocabulary, some of them reports that repeat yesterday's words with other numbers, and follow-ups that
repeat a third of what was written before: none of these is a copy.
"""

import argparse
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bench.archive import open_archive, write_rows
from bench.clocks import cpu_clock
from pipeline.store.articles.stories import Placing, place_articles
from pipeline.store.connection.engine import reading, write
from pipeline.store.migrations.upgrade import upgrade_schema
from pipeline.store.schema.tables import ArticleRow, ArticleStoryRow, HostRow, PageRow
from pipeline.text.duplicates import content_hash

START = datetime(2026, 10, 1, tzinfo=UTC)
GROUPS, ARTICLES, MOST_COPIES, MOST_EDITED = 300, 2_000, 4, 0.15
SITES = 60
TEMPLATED = 60
FOLLOW_UPS = 100

MIN_PRECISION, MIN_RECALL = 0.99, 0.95
MAX_GROWTH = 1.3
"""Of the cost of an article, from the smallest to the largest archive: trees grow by a level, and less is in memory."""


@dataclass(frozen=True)
class Made:
    """An article, and the group that it was made for."""

    site: str
    title: str
    text: str
    published_at: datetime
    group: int


class Press:
    """Writes articles whose words are as unequally frequent as words are, in phrases that all articles share."""

    def __init__(self, rng: random.Random, words: int = 6_000, phrases: int = 3_000) -> None:
        self._rng = rng
        syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "on", "is")]
        found: dict[str, None] = {}
        while len(found) < words:
            found["".join(rng.choices(syllables, k=rng.randint(1, 4)))] = None
        self._words = list(found)
        self._weights = list(itertools.accumulate(1 / (place + 1) for place in range(words)))
        self._phrases = [self.words(rng.randint(2, 5)) for _ in range(phrases)]
        self._of_phrases = list(itertools.accumulate(1 / (place + 1) for place in range(phrases)))

    def words(self, number: int) -> list[str]:
        """So many words."""
        return self._rng.choices(self._words, cum_weights=self._weights, k=number)

    def text(self, length: int) -> list[str]:
        """A text of about so many words; some are numbers, a third stand in phrases that others use too."""
        rng, made = self._rng, list[str]()
        while len(made) < length:
            kind = rng.random()
            if kind < 0.15:
                made += rng.choices(self._phrases, cum_weights=self._of_phrases)[0]
            elif kind < 0.18:
                made.append(str(rng.randint(1, 3_000)))
            else:
                made += self.words(rng.randint(1, 3))
        return made

    def edited(self, words: Sequence[str], share: float) -> list[str]:
        """The text with this share of its words replaced, left out, or followed by another."""
        made: list[str] = []
        for word in words:
            if self._rng.random() >= share:
                made.append(word)
            elif (kind := self._rng.random()) < 0.75:
                made += self.words(1) if kind < 0.5 else [word, *self.words(1)]
        return made

    def report(self, frame: Sequence[str]) -> list[str]:
        """A report made from a frame of words with numbers in between."""
        return [word for part in frame for word in (part, *([str(self._rng.randint(1, 999))] * (len(part) % 4 == 0)))]


def corpus(rng: random.Random, texts: Sequence[list[str]] = ()) -> list[Made]:
    """Articles with copies in any order; of these texts, where there are any."""
    press = Press(rng)
    real = list(texts)
    rng.shuffle(real)
    numbers, made = itertools.count(), list[Made]()

    def add(words: Sequence[str], group: int, site: str = "") -> None:
        at = START + timedelta(seconds=rng.randrange(20 * 86_400))
        made.append(
            Made(site or f"site{rng.randrange(SITES)}.example", " ".join(press.words(8)), " ".join(words), at, group)
        )

    def original() -> list[str]:
        return real.pop() if real else press.text(rng.randint(80, 900))

    for _ in range(min(GROUPS, len(texts) // 2) if texts else GROUPS):
        group, words = next(numbers), original()
        add(words, group)
        for _ in range(rng.randint(1, MOST_COPIES)):
            part = (
                words
                if rng.random() > 1 / 3
                else words[: len(words) // 2]
                if rng.random() < 0.7
                else words[len(words) // 2 :]
            )
            add(press.edited(part, rng.uniform(0, MOST_EDITED)), group)
    frame = press.words(180)
    for _ in range(0 if texts else TEMPLATED):
        add(press.report(frame), next(numbers), "exchange.example")
    for earlier in rng.sample(made[:GROUPS], FOLLOW_UPS if not texts else 0):
        old = earlier.text.split()
        background = old[: len(old) // 3]
        add([*press.text(2 * len(background)), *background], next(numbers))
    while real or len(made) < (0 if texts else ARTICLES):
        add(original(), next(numbers))
    rng.shuffle(made)
    return made


def store(engine: Engine, articles: Sequence[Made], start: int = 0) -> Iterator[tuple[float, float]]:
    """Store the articles one by one; gives the seconds that placing each of them took, and those of CPU."""
    for number, found in enumerate(articles, start):
        row = {
            "url": f"https://{found.site}/{number}", "site": found.site, "title": found.title, "text": found.text,
            "authors": [], "tags": [], "removed": [], "published_at": found.published_at, "first_seen_at": START,
            "updated_at": START, "word_count": found.text.count(" ") + 1, "content_hash": content_hash(found.text),
            "extractor": "bench", "extractor_version": "1",
        }  # fmt: skip
        yield write(engine, _insert, row)


def _insert(connection: sa.Connection, row: dict) -> tuple[float, float]:
    if not connection.scalar(sa.select(HostRow.name).where(HostRow.name == "bench")):
        connection.execute(sa.insert(HostRow).values(name="bench", next_fetch_at=START))
    page = {"url": row["url"], "host": "bench", "state": "stored", "discovered_at": START}
    page_id = connection.scalar(sa.insert(PageRow).values(page).returning(PageRow.id))
    article_id = connection.scalar(sa.insert(ArticleRow).values(row | {"page_id": page_id}).returning(ArticleRow.id))
    clock = cpu_clock(connection)
    cpu, began = clock(), time.perf_counter()
    place_articles(connection, [Placing(article_id)])
    return time.perf_counter() - began, clock() - cpu


def pairs(groups: Iterator[tuple[str, int]]) -> set[tuple[str, str]]:
    """Pairs of URLs that are in one group."""
    members = defaultdict(list)
    for url, group in groups:
        members[group].append(url)
    return {pair for found in members.values() for pair in itertools.combinations(sorted(found), 2)}


def measure_quality(engine: Engine, articles: Sequence[Made]) -> bool:
    """Print precision and recall of pairs; returns whether they are what is wanted."""
    times = [wall for wall, _ in store(engine, articles)]
    with reading(engine) as connection:
        query = sa.select(ArticleRow.url, ArticleStoryRow.story_id).join(
            ArticleStoryRow, ArticleStoryRow.article_id == ArticleRow.id
        )
        found = pairs((row.url, row.story_id) for row in connection.execute(query))
    true = pairs((f"https://{made.site}/{number}", made.group) for number, made in enumerate(articles))
    print(f"{len(articles):,} articles, {len(true):,} pairs of copies, {len(found):,} pairs found")
    precision, recall = len(found & true) / max(1, len(found)), len(found & true) / len(true)
    print(f"precision {precision:.4f}   recall {recall:.4f}")
    print(f"placing: median {1000 * statistics.median(times):.2f} ms, mean {1000 * statistics.mean(times):.2f} ms")
    return precision >= MIN_PRECISION and recall >= MIN_RECALL


def measure_cost(engine: Engine, sizes: Sequence[int], sample: int = 400) -> bool:
    """Print what placing an article of some 500 words costs, once the archive has grown to each of the sizes.

    Returns whether that is as much at the last as at the first.

    The filling has short texts, and sketches as articles have them: hashes of their own, and one in eight of those
    that many share. The articles that are placed are copies by halves.
    """
    rng = random.Random(5)
    press = Press(rng)
    shared = [rng.getrandbits(63) for _ in range(2_000)]
    costs = []
    for size in sizes:
        with reading(engine) as connection:
            there = connection.scalar(sa.select(sa.func.count()).select_from(ArticleRow)) or 0
        while there < size:
            there += _fill(engine, there, min(5_000, size - there), rng, shared)
        _settle(engine)
        texts = [press.text(500) for _ in range(sample // 2)]
        texts += [press.edited(text, 0.1) for text in texts]
        made = [Made(f"site{place % SITES}.example", "", " ".join(text), START, 0) for place, text in enumerate(texts)]
        times, cpu = zip(*store(engine, made, start=10 * size), strict=True)
        costs.append(statistics.median(cpu))
        print(
            f"{size:>9,} articles: placing one takes {1000 * costs[-1]:.2f} ms of CPU (median), "
            f"{1000 * statistics.mean(cpu):.2f} ms (mean); by the clock {1000 * statistics.median(times):.2f} ms",
            flush=True,
        )
    return costs[-1] <= MAX_GROWTH * costs[0]


_FILLED = {
    "page": "id, url, host, state, discovered_at",
    "article": "id, page_id, url, site, text, authors, tags, removed, first_seen_at, updated_at, word_count,"
    " content_hash, extractor, extractor_version",
    "article_story": "article_id, story_id, role",
    "article_sketch": "hash, article_id",
}


def _fill(engine: Engine, start: int, number: int, rng: random.Random, shared: Sequence[int]) -> int:
    if not start:
        with engine.begin() as connection:
            connection.execute(sa.insert(HostRow).values(name="bench", next_fetch_at=START))
    with reading(engine) as connection:
        last_page, last_article = (connection.scalar(sa.select(sa.func.max(t.id))) or 0 for t in (PageRow, ArticleRow))
    rows: dict[str, list[tuple]] = {name: [] for name in _FILLED}
    for place in range(1, number + 1):
        page_id, article_id, url = last_page + place, last_article + place, f"https://filling.example/{start + place}"
        rows["page"].append((page_id, url, "bench", "stored", START))
        text, made = f"Filling {place}", (f"{article_id:064x}", "bench", "1")
        rows["article"].append(
            (article_id, page_id, url, "filling.example", text, "[]", "[]", "[]", START, START, 2, *made)
        )
        rows["article_story"].append((article_id, article_id, "first"))
        hashes = {
            shared[int(len(shared) * rng.random() ** 2)] if rng.random() < 1 / 8 else rng.getrandbits(63)
            for _ in range(23)
        }
        rows["article_sketch"] += [(value, article_id) for value in hashes]
    rows["article_sketch"].sort()  # a tree takes them much faster so
    with closing(engine.raw_connection()) as connection:
        for table, names in _FILLED.items():
            write_rows(engine, connection, table, names, rows[table])
        connection.commit()
    return number


def _settle(engine: Engine) -> None:
    """Let what follows be measured as in any archive: with new connections, statistics, and numbers that go on."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            for table in ("page", "article"):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                )
            connection.exec_driver_sql("VACUUM ANALYZE article, article_story, article_sketch")
    engine.dispose()


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="an empty database; a new file otherwise")
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cost", type=int, action="append", default=[])
    given = parser.parse_args()
    texts = []
    if given.texts:
        with given.texts.open(encoding="utf-8") as lines:
            bodies = [json.loads(line).get("body") or "" for line in lines]
        texts = [words for body in bodies if len(words := body.split()) >= 60]
    with tempfile.TemporaryDirectory() as folder:
        engine = open_archive(given.database or f"sqlite:///{folder}/stories.db")
        upgrade_schema(engine)
        if given.cost:
            ok = measure_cost(engine, sorted(given.cost))
        else:
            ok = measure_quality(engine, corpus(random.Random(given.seed), texts))
        engine.dispose()
    sys.exit(not ok)


if __name__ == "__main__":
    main()
