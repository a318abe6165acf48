"""What recurs on a site is learned while crawling, removed from new pages, overruled, and applied backwards."""

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
import sqlalchemy as sa

from pipeline.extract import PageInput, extract_article
from pipeline.model import Article
from pipeline.store.articles import learned_boilerplate as store
from pipeline.store.articles.block_counts import MAX_ROWS, CountedArticle, count_blocks
from pipeline.store.articles.learned_boilerplate import list_blocks, load_learned_texts
from pipeline.store.articles.reclean_queue import CopySelection
from pipeline.store.articles.takedown_rows import TakedownTarget, bar_target
from pipeline.store.connection.engine import open_engine, reading, write
from pipeline.store.schema.tables import ArticleRow, RevisionRow, SiteBlockRow, SiteRow
from pipeline.text.block_identity import make_body_blocks
from pipeline.upkeep.recleaning import RecleanJob, reclean
from tests.support.command_line import News
from tests.support.newsroom import XML
from tests.support.recording import RecordingPipeline
from tests.support.recurring import STARTED_AT, Printed, made_page, made_site, paragraph, printed_blocks
from tests.support.stories import rss
from tests.support.web import Web
from tests.support.web import page as served

SITE = "site.example"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def rows(engine, site=SITE):
    with reading(engine) as connection:
        query = sa.select(SiteBlockRow.__table__).where(SiteBlockRow.site == site).order_by(SiteBlockRow.key)
        return connection.execute(query).mappings().all()


def learned(engine, site=SITE):
    with reading(engine) as connection:
        return load_learned_texts(connection, site)


def count(engine, article_id, texts, at, site=SITE):
    blocks = make_body_blocks(texts, [True] * len(texts))
    write(engine, count_blocks, [CountedArticle(article_id, site, blocks, at)], at)


class Reader:
    """Reads the pages of a site in order, each with what was learned before it, and notes what was removed."""

    def __init__(self, engine):
        self.engine = engine
        self.pages = 0

    def read(self, page):
        """The texts that were removed as recurring, and the article."""
        found = extract_article(
            PageInput(page.html.encode(), f"https://{SITE}/{self.pages}", learned=learned(self.engine))
        )
        assert isinstance(found, Article)
        self.pages += 1
        counted = CountedArticle(self.pages, SITE, found.blocks, page.published_at)
        write(self.engine, count_blocks, [counted], page.published_at)
        return {one.text for one in found.removed if one.reason == "recurring"}, found


@pytest.mark.parametrize("step", [5 * HOUR, DAY, timedelta(minutes=1)], ids=["5 h", "a day", "a minute"])
def test_fifteen_blocks_are_learned_from_twenty_pages_and_no_true_text_is_lost(sqlite_url, step):
    engine = open_engine(sqlite_url)
    reader, found, left, wrong = Reader(engine), 0, 0, 0
    for page in made_site(seed=41, step=step):
        gone, article = reader.read(page)
        text = article.text.split("\n\n")
        assert set(page.true) <= set(text) | {one.text for one in article.removed if one.reason != "recurring"}
        wrong += len(gone & set(page.true))
        if reader.pages > 20:
            found += sum(block in gone for block in page.printed)
            left += sum(block in text for block in page.printed)
    assert wrong == 0
    assert found / (found + left) >= 0.95
    assert found > 1000
    kept = rows(engine)
    assert len(kept) <= MAX_ROWS
    assert sum(len((row["sample"] or "").encode()) for row in kept) < 50_000
    engine.dispose()


def test_blocks_are_learned_on_both_databases(engine):
    reader = Reader(engine)
    pages = made_site(seed=5, pages=40, step=5 * HOUR)
    gone = [reader.read(page)[0] for page in pages]
    assert not any(gone[:5])
    late = [(page.printed, removed) for page, removed in zip(pages, gone, strict=True)][25:]
    printed = [text for texts, _ in late for text in texts]
    assert sum(text in removed for texts, removed in late for text in texts) > 0.9 * len(printed)
    assert {text for _, removed in late for text in removed} <= set(printed)


# ---------------------------------------------------------------- what recurs and is text


def make_pages(seed, count):
    """Pages of true text, and the blocks that their site prints."""
    rng = random.Random(seed)
    return rng, printed_blocks(rng, 6)


def test_a_wire_story_that_is_printed_again_and_again_is_not_eaten(engine):
    reader = Reader(engine)
    rng, printed = make_pages(1, 60)
    wire = [paragraph(rng) for _ in range(8)]
    for number in range(60):
        text = wire if number % 6 == 0 else None
        page = made_page(rng, number, printed, STARTED_AT + number * 5 * HOUR, true=text)
        gone, _ = reader.read(page)
        assert not gone & set(page.true)
    assert len(learned(engine)) >= 4
    assert not set(learned(engine)) & set(wire)
    assert {row["articles"] for row in rows(engine) if row["sample"] in wire} <= {1, 2}


def test_the_standfirst_of_a_series_is_not_eaten(engine):
    reader = Reader(engine)
    rng, printed = make_pages(2, 80)
    standfirst = paragraph(rng)
    for number in range(80):
        true = [paragraph(rng) for _ in range(6)]
        page = made_page(rng, number, printed, STARTED_AT + number * 5 * HOUR, true=true)
        if number % 4 == 0:
            page = replace(page, blocks=((standfirst, True), *page.blocks))
        gone, _ = reader.read(page)
        assert standfirst not in gone
    assert len(learned(engine)) >= 4


def test_a_story_that_is_updated_under_other_addresses_is_not_eaten(engine):
    reader = Reader(engine)
    rng, printed = make_pages(3, 40)
    story = [paragraph(rng) for _ in range(5)]
    for number in range(40):
        is_update = number > 10 and number % 2 == 0
        if is_update:
            story = [paragraph(rng), paragraph(rng), *story]
        true = story if is_update else None
        page = made_page(rng, number, printed, STARTED_AT + number * 5 * HOUR, true=true)
        gone, _ = reader.read(page)
        assert not gone & set(page.true)
    assert not set(learned(engine)) & set(story)


def test_short_articles_with_more_boilerplate_than_text_are_not_copies_of_each_other(sqlite_url):
    engine = open_engine(sqlite_url)
    rng = random.Random(2)
    printed = [replace(block, rate=1.0, since=0) for block in printed_blocks(rng, 15)]
    for number in range(20):
        true = [paragraph(rng), paragraph(rng)]
        page = made_page(rng, number, printed, STARTED_AT + number * 5 * HOUR, true=true)
        count(engine, number + 1, [text for text, _ in page.blocks], page.published_at)
    assert len(learned(engine)) >= 14
    engine.dispose()


# ---------------------------------------------------------------- bounds, and several workers at once


def test_the_rows_of_a_site_are_bounded_and_what_recurs_stays(sqlite_url):
    engine = open_engine(sqlite_url)
    rng = random.Random(7)
    footer = paragraph(rng)
    for number in range(60):
        texts = [*(paragraph(rng) for _ in range(90)), footer]
        count(engine, number + 1, texts, STARTED_AT + number * DAY)
        assert len(rows(engine)) <= MAX_ROWS
    assert learned(engine) == {footer}
    assert [row["sample"] for row in rows(engine) if row["articles"] > 3] == [footer]
    engine.dispose()


def test_several_workers_count_each_article_once(engine):
    rng = random.Random(8)
    printed = [block.text(rng) for block in printed_blocks(rng, 5)]
    articles = {number: [*(paragraph(rng) for _ in range(5)), *printed] for number in range(1, 41)}

    def work(first):
        for number in range(first, 41, 4):
            count(engine, number, articles[number], STARTED_AT + number * HOUR)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row["articles"] for row in rows(engine) if row["articles"] > 1) == [40] * 5
    assert learned(engine) == set(printed)
    with reading(engine) as connection:
        assert connection.scalar(sa.select(SiteRow.articles)) == 40


def test_sites_are_counted_apart_and_forgotten_when_taken_down(engine):
    rng = random.Random(9)
    footer = paragraph(rng)
    for number in range(20):
        count(engine, number + 1, [paragraph(rng), paragraph(rng), footer], STARTED_AT + number * DAY)
    assert learned(engine) == {footer}
    assert learned(engine, "other.example") == frozenset()
    write(engine, bar_target, TakedownTarget("site", SITE), datetime.now(UTC), None)
    assert rows(engine) == []


# ---------------------------------------------------------------- the whole flow, and the user


@pytest.fixture
def newsroom(database_url, tmp_path):
    with Web() as web:
        pipeline = RecordingPipeline(web, database_url, tmp_path / "raw")
        yield pipeline
        pipeline.engine.dispose()


def publish(newsroom, pages, first):
    """Serve pages and announce them; each is fetched before the next."""
    for place, page in enumerate(pages, start=first):
        newsroom.web.routes[f"/{place}"] = served(page.html)
    titles = {newsroom.web.url(f"/{place}"): page.title for place, page in enumerate(pages, start=first)}
    newsroom.web.routes["/feed.xml"] = served(rss(titles), XML)
    newsroom.subscribe("/feed.xml")
    newsroom.ingest()


def texts(newsroom):
    return [row["text"].split("\n\n") for row in newsroom.rows(ArticleRow)]


def test_learned_while_crawling_overruled_by_the_user_and_applied_backwards(newsroom):
    rng = random.Random(11)
    footer = Printed("Zwilum del {number} mertol norost ka pil fencor holis bara", 1.0)
    pages = [made_page(rng, number, [footer], STARTED_AT + number * DAY) for number in range(12)]
    for page in pages:
        page_footer = page.printed[0]
        assert page_footer.startswith("Zwilum")
    publish(newsroom, pages[:8], 0)
    assert all(any(text.startswith("Zwilum") for text in article) for article in texts(newsroom)[:4])
    publish(newsroom, pages[8:], 8)
    assert not any(text.startswith("Zwilum") for article in texts(newsroom)[8:] for text in article)
    removed = newsroom.rows(ArticleRow)[9]["removed"]
    assert [one["reason"] for one in removed if one["text"].startswith("Zwilum")] == ["recurring"]

    news = News(newsroom.url)
    site = newsroom.rows(ArticleRow)[0]["site"]
    assert [row["learned"] for row in news.json("boilerplate", "list")] == [1]
    (listed,) = news.json("boilerplate", "list", site)
    assert (listed["state"], listed["articles"], listed["days"]) == ("learned", 12, 12)
    assert "learned" in news("boilerplate", "list", site)
    assert news.json("boilerplate", "show", site, "zwilum del 7 mertol norost ka pil fencor holis bara") == listed

    archive = {"NEWS_ARCHIVE_URL": newsroom.settings.archive_url}
    told = news.json("explain", newsroom.web.url("/0"), "--stored", **archive)
    assert [line["reason"] for line in told["lines"] if line["text"].startswith("Zwilum")] == ["recurring"]

    job = RecleanJob(newsroom.settings, newsroom.engine, newsroom.place, CopySelection(), newsroom.now)
    assert reclean(job).kinds["revised"] >= 4
    left = [article for article in texts(newsroom) if any(text.startswith("Zwilum") for text in article)]
    assert left == []
    assert {row["cause"] for row in newsroom.rows(RevisionRow) if row["number"] > 1} == {"reclean"}

    assert news.json("boilerplate", "keep", site, listed["key"])["state"] == "kept"
    reclean(job)
    assert all(any(text.startswith("Zwilum") for text in article) for article in texts(newsroom))

    first = pages[0].true[0]
    assert news.json("boilerplate", "drop", site, first)["state"] == "dropped"
    reclean(job)
    assert first not in texts(newsroom)[0]
    assert news.json("boilerplate", "drop", site, first, "--undo")["state"] == "counted"
    assert news.json("boilerplate", "keep", site, listed["key"], "--undo")["state"] == "learned"
    reclean(job)
    assert texts(newsroom)[0] == pages[0].true
    assert "has no block" in news("boilerplate", "show", site, "nothing of the kind", code=1)
    assert "has no block" in news("boilerplate", "drop", site, "word", code=1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_cleaning_again_changes_nothing_but_what_was_learned_since_and_then_nothing_at_all(newsroom):
    pages = list(islice(made_site(seed=5, step=DAY), 30))
    for first in range(0, 30, 10):
        publish(newsroom, pages[first : first + 10], first)
    (site,) = {row["site"] for row in newsroom.rows(ArticleRow)}
    assert len(learned(newsroom.engine, site)) >= 5
    before = {row["url"]: row for row in newsroom.rows(ArticleRow)}
    job = RecleanJob(newsroom.settings, newsroom.engine, newsroom.place, CopySelection(), newsroom.now)
    foreseen = reclean(replace(job, dry_run=True)).kinds
    assert stored_rows(newsroom) == [list(before.values()), newsroom.rows(RevisionRow)]
    assert reclean(job).kinds == foreseen
    assert foreseen["revised"] >= 5
    for row in newsroom.rows(ArticleRow):
        recurring = {one["text"] for one in row["removed"] if one["reason"] == "recurring"}
        left = [text for text in before[row["url"]]["text"].split("\n\n") if text not in recurring]
        assert row["text"].split("\n\n") == left
    settled = stored_rows(newsroom)
    assert reclean(replace(job, dry_run=True)).kinds == {"same": 30}
    assert reclean(job).kinds == {"same": 30}
    assert stored_rows(newsroom) == settled


def stored_rows(newsroom):
    return [newsroom.rows(table) for table in (ArticleRow, RevisionRow)]


def test_a_revision_is_not_counted_again(newsroom):
    rng = random.Random(12)
    page = made_page(rng, 0, [], newsroom.now())
    publish(newsroom, [page], 0)
    edited = replace(page, blocks=(*page.blocks, (paragraph(rng), True)))
    newsroom.web.routes["/0"] = served(edited.html)
    newsroom.ahead = timedelta(days=8)
    newsroom.ingest()
    assert len(newsroom.rows(RevisionRow)) == 2
    assert {row["articles"] for row in newsroom.rows(SiteBlockRow)} == {1}
    assert {row["sample"] for row in newsroom.rows(SiteBlockRow)} == {None}


def test_a_kept_block_covers_all_forms_that_it_was_counted_in(engine):
    one, other = "Zwilum del mertol norost ka pil fencor holis bara", "Zwilum del mertol norost ka pil fencor holis tol"
    for text in (one, other):
        write(engine, store.judge_block, SITE, None, text, "dropped", STARTED_AT)
    assert learned(engine) == {one}  # the other is the same block
    write(engine, store.judge_block, SITE, None, other, "kept", STARTED_AT)
    assert learned(engine) == frozenset()
    with reading(engine) as connection:
        assert [block.state for block in list_blocks(connection, SITE)] == ["kept"]
