"""Pages that are stored together come to what they come to one by one, whatever they have to do with each other."""

import random
import shutil
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.model import Address, Fetched, Validators
from pipeline.schedule.pages import PagePolicy, PageUpdate
from pipeline.store.articles.bulk_rows import CapturedPage, store_captured_pages
from pipeline.store.connection.engine import open_engine, reading, write
from pipeline.store.frontier.discovery import put_addresses
from pipeline.store.schema.tables import ArticleRow, ArticleStoryRow, PageRow, RevisionRow, SiteBlockRow, SketchRow
from pipeline.text.block_identity import make_body_blocks
from tests.support.archive import NOW, article
from tests.support.texts import edited, words

HOUR = timedelta(hours=1)
POLICY = PagePolicy(3, HOUR, (timedelta(days=1),))


def made_pages(seed, count=60):
    """Pages of few addresses and few texts: redirects in chains and circles, copies, edits, footers, rejected ones."""
    rng = random.Random(seed)
    texts = [words(number, rng.randint(30, 200)) for number in range(8)]
    footers = [f"Footer of site {number} with some words in it" for number in range(3)]
    pages = []
    for number in range(count):
        site = f"s{rng.randrange(3)}.example"
        url = f"https://{site}/{rng.randrange(20)}"
        at = NOW - 48 * HOUR + rng.randrange(40) * HOUR
        if rng.random() < 0.1:
            gone = PageUpdate("rejected", "rejected", None, reason="no_text", status=200)
            pages.append(CapturedPage(Address(f"https://{site}/gone{number}", at, "capture"), at, gone))
            continue
        home = url if rng.random() < 0.6 else f"https://s{rng.randrange(3)}.example/{rng.randrange(20)}"
        text = edited(rng.choice(texts), rng.choice([0, 0, 0.05]), seed=number)
        parts = [" ".join(text[:20]), " ".join(text[20:]), footers[int(site[1])]]
        found = article(
            home, " ".join(text), site=site, published_at=at, title=rng.choice(["One", "Two"]), tags=(site,),
            blocks=make_body_blocks(parts, [True] * 3),
        )  # fmt: skip
        pages.append(CapturedPage(Address(url, at, "capture"), at, (found, Fetched(200, Validators(), 9, at=at))))
    return pages


def contents(engine):
    """All that is stored, with URLs in the place of ids, which depend on the order of insertion."""
    home, first, original = sa.alias(PageRow.__table__), sa.alias(ArticleRow.__table__), sa.alias(ArticleRow.__table__)
    url, page = ArticleRow.url, sa.select(PageRow.__table__, home.c.url.label("home"))
    queries = {
        "pages": page.outerjoin(home, home.c.id == PageRow.alias_of),
        "articles": sa.select(ArticleRow.__table__, original.c.url.label("original"), PageRow.url.label("page"))
        .join(PageRow, PageRow.id == ArticleRow.page_id)
        .outerjoin(original, original.c.id == ArticleRow.duplicate_of),
        "revisions": sa.select(RevisionRow.__table__, url).join(ArticleRow, ArticleRow.id == RevisionRow.article_id),
        "stories": sa.select(url, ArticleStoryRow.role, ArticleStoryRow.similarity, first.c.url.label("first"))
        .join(ArticleStoryRow, ArticleStoryRow.article_id == ArticleRow.id)
        .join(first, first.c.id == ArticleStoryRow.story_id),
        "sketches": sa.select(url, SketchRow.hash).join(SketchRow, SketchRow.article_id == ArticleRow.id),
        "blocks": sa.select(SiteBlockRow.__table__),
    }
    ids = {"id", "page_id", "article_id", "alias_of", "duplicate_of", "first_article", "last_article"}
    with reading(engine) as connection:
        return {
            name: sorted(
                str([(column, value) for column, value in row.items() if column not in ids])
                for row in connection.execute(query).mappings()
            )
            for name, query in queries.items()
        }


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_comes_to_what_its_pages_come_to_one_by_one(engine, sqlite_template, tmp_path, seed):
    pages = made_pages(seed)
    apart = open_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'apart.db')}")
    outcomes = {}
    for name, where, size in (("together", engine, 20), ("apart", apart, 1)):
        # What announces a page first has its say, and a batch is announced as a whole.
        write(where, put_addresses, [page.address for page in pages], NOW, NOW)
        outcomes[name] = [
            outcome
            for start in range(0, len(pages), size)
            for outcome in write(where, store_captured_pages, pages[start : start + size], "w", NOW, POLICY)
        ]
    assert outcomes["together"] == outcomes["apart"]
    assert len({outcome for _, outcome in outcomes["apart"]}) >= 5
    together, alone = contents(engine), contents(apart)
    for name, rows in alone.items():
        assert together[name] == rows, name
    apart.dispose()


def test_writers_of_overlapping_batches_store_each_page_once_and_leave_nothing_held(engine):
    pages = [page for seed in range(3) for page in made_pages(seed)]
    problems = []

    def work(seed):
        own = open_engine(engine.url.render_as_string(hide_password=False))
        rng = random.Random(seed)
        try:
            for start in rng.sample(range(0, len(pages), 12), len(pages) // 12):
                write(own, store_captured_pages, rng.sample(pages[start : start + 12], 12), f"w{seed}", NOW, POLICY)
        except Exception as error:  # said below, in the thread of the test
            problems.append(error)
        own.dispose()

    writers = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert problems == []
    with reading(engine) as connection:
        rows = connection.execute(sa.select(PageRow.url, PageRow.state, PageRow.lease_owner)).all()
        stored = set(connection.scalars(sa.select(PageRow.id).where(PageRow.state == "stored")))
        articles = list(connection.scalars(sa.select(ArticleRow.page_id)))
        placed = connection.scalar(sa.select(sa.func.count()).where(ArticleStoryRow.story_id.is_not(None)))
        numbers = connection.execute(sa.select(RevisionRow.article_id, RevisionRow.number)).all()
    assert {row.lease_owner for row in rows} == {None}
    assert {page.address.url for page in pages} <= {row.url for row in rows if row.state != "queued"}
    assert sorted(articles) == sorted(stored)
    assert placed == len(articles)
    assert len(set(numbers)) == len(numbers)
