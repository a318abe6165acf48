"""Stories on real SQLite and real PostgreSQL: the same in any order, with any number of writers."""

import random
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.model import Entry
from pipeline.store.articles.stories import count_missing, forget_stories, leave_stories, place_missing
from pipeline.store.connection.engine import open_engine, reading
from pipeline.store.schema.tables import ArticleRow, ArticleStoryRow, SketchRow
from tests.support.archive import NOW, Archive, article
from tests.support.texts import edited, words

HOUR = timedelta(hours=1)


@pytest.fixture
def archive(engine):
    return Archive(engine)


def put(archive, name, text, hours=0, now=NOW):
    """Store an article at NAME.example, published so many hours after noon."""
    site = f"{name}.example"
    at = NOW - 48 * HOUR + hours * HOUR
    return archive.store(f"https://{site}/1", now, text=" ".join(text), site=site, published_at=at)


def stories(engine):
    """The stories by the names of their sites: the first one, and all."""
    with reading(engine) as connection:
        query = sa.select(ArticleRow.id, ArticleRow.site, ArticleStoryRow.story_id).join(
            ArticleStoryRow, ArticleStoryRow.article_id == ArticleRow.id
        )
        rows = connection.execute(query).all()
    names = {row.id: row.site.removesuffix(".example") for row in rows}
    found = {}
    for row in rows:
        found.setdefault(names[row.story_id], set()).add(names[row.id])
    return found


def member(archive, name):
    article = next(row for row in archive.rows(ArticleRow) if row["site"] == f"{name}.example")
    return next(row for row in archive.rows(ArticleStoryRow) if row["article_id"] == article["id"])


def test_copies_edits_and_cuts_are_one_story_of_the_first_to_be_published(archive):
    text = words(1)
    put(archive, "edit", edited(text, 0.1), 3)
    put(archive, "copy", text, 2)
    put(archive, "other", words(2), 0)
    put(archive, "wire", text, 1)
    put(archive, "half", text[:200], 4)
    put(archive, "long", [*text, *words(3, 300)], 5)
    assert stories(archive.engine) == {"wire": {"wire", "copy", "edit", "half", "long"}, "other": {"other"}}
    roles = {name: member(archive, name)["role"] for name in ("wire", "copy", "edit", "half", "long", "other")}
    assert roles == {
        "wire": "first", "copy": "copy", "edit": "edited", "half": "shortened", "long": "extended", "other": "first"
    }  # fmt: skip
    assert member(archive, "copy")["similarity"] == 1
    assert 0.7 < member(archive, "edit")["similarity"] < 1
    assert member(archive, "wire")["similarity"] is None


def test_an_article_that_connects_two_stories_makes_them_one(archive):
    text = words(1)
    put(archive, "beginning", text[:200], 1)
    put(archive, "end", text[200:], 2)
    assert len(stories(archive.engine)) == 2
    put(archive, "whole", text, 3)
    assert stories(archive.engine) == {"beginning": {"beginning", "end", "whole"}}


def test_a_copy_elsewhere_connects_what_stands_too_far_apart_at_home(archive):
    text = words(1)
    made = [("home", text), ("home", edited(text, 0.28)), ("away", text)]  # two thirds are a copy anywhere but at home
    found = []
    for number, (site, body) in enumerate(made):
        url, at = f"https://{site}.example/{number}", NOW - 48 * HOUR
        archive.store(url, NOW, text=" ".join(body), site=f"{site}.example", published_at=at)
        found.append(len({row["story_id"] for row in archive.rows(ArticleStoryRow)}))
    assert found == [1, 2, 1]


def test_a_revision_may_leave_a_story_and_part_it(archive):
    text = words(1)
    put(archive, "beginning", text[:200], 1)
    put(archive, "end", text[200:], 2)
    put(archive, "whole", text, 3)
    put(archive, "whole", words(2), 3, now=NOW + HOUR)
    assert stories(archive.engine) == {"beginning": {"beginning"}, "end": {"end"}, "whole": {"whole"}}
    put(archive, "whole", text, 3, now=NOW + 2 * HOUR)
    assert stories(archive.engine) == {"beginning": {"beginning", "end", "whole"}}


def test_an_earlier_date_makes_another_article_the_first(archive):
    text = words(1)
    put(archive, "one", text, 1)
    put(archive, "two", text, 2)
    put(archive, "two", text, 0, now=NOW + HOUR)
    assert stories(archive.engine) == {"two": {"one", "two"}}
    assert (member(archive, "two")["role"], member(archive, "one")["role"]) == ("first", "copy")


def test_those_left_behind_by_a_deleted_article_find_together_anew(archive):
    text = words(1)
    put(archive, "whole", text, 0)
    put(archive, "beginning", text[:200], 1)
    put(archive, "edit", edited(text[:200], 0.05), 2)
    put(archive, "end", text[200:], 3)
    whole = next(row["id"] for row in archive.rows(ArticleRow) if row["site"] == "whole.example")
    archive(leave_stories, [whole])
    archive(lambda connection: connection.execute(sa.delete(ArticleRow).where(ArticleRow.id == whole)))
    assert stories(archive.engine) == {"beginning": {"beginning", "edit"}, "end": {"end"}}
    assert whole not in {row["article_id"] for row in archive.rows(SketchRow)}


def made_up(rng):
    """Forty articles: ten stories of one to six, chained by halves and edits."""
    made = {}
    for number in range(10):
        text = words(100 + number, rng.randint(60, 500))
        for copy in range(rng.randint(1, 6)):
            part = [text, text[: len(text) // 2], text[len(text) // 2 :]][rng.randrange(3)]
            made[f"s{number}c{copy}"] = (edited(part, rng.uniform(0, 0.15), seed=copy), rng.randrange(20))
    return made


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_arrival_makes_no_difference(archive, sqlite_template, tmp_path, seed):
    made = made_up(random.Random(seed))
    found = []
    for order in range(2):
        names = sorted(made)
        random.Random(order).shuffle(names)
        for name in names:
            put(archive, name, *made[name])
        found.append({frozenset(part): name for name, part in stories(archive.engine).items()})
        for row in archive.rows(ArticleRow):
            archive(leave_stories, [row["id"]])
        archive(forget_rows)
    assert found[0] == found[1]
    assert any(len(part) > 3 for part in found[0])


def forget_rows(connection):
    for table in ("revision", "article_author", "article_tag", "entry"):
        connection.exec_driver_sql(f"DELETE FROM {table}")
    connection.exec_driver_sql("UPDATE article SET duplicate_of = NULL")
    connection.exec_driver_sql("DELETE FROM article")
    connection.exec_driver_sql("DELETE FROM page")


def test_two_writers_at_once_make_the_stories_that_one_makes(archive):
    made = made_up(random.Random(3))
    names = sorted(made)
    archive.poll(*(Entry(guid=name, url=f"https://{name}.example/1") for name in names))

    def save(mine):
        own = Archive(open_engine(archive.engine.url.render_as_string(hide_password=False)))
        for name in mine:
            text, hours = made[name]
            site = f"{name}.example"
            page = own.claim(host=site)
            at = NOW - 48 * HOUR + hours * HOUR
            own.save(page, article(page.url, " ".join(text), site=site, published_at=at))
        own.engine.dispose()

    writers = [threading.Thread(target=save, args=(names[half::2],)) for half in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    together = stories(archive.engine)
    assert rebuilt(archive) == together
    assert any(len(part) > 3 for part in together.values())


def rebuilt(archive):
    archive(forget_stories)
    after = 0
    while after is not None:
        after, count = archive(place_missing, after, 7)
        assert count <= 7
    return stories(archive.engine)


def test_what_was_stored_before_there_were_stories_is_placed_in_batches(archive):
    text = words(1)
    for number in range(5):
        put(archive, f"copy{number}", edited(text, 0.02 * number), number)
    before = stories(archive.engine)
    archive(forget_stories)
    with reading(archive.engine) as connection:
        assert count_missing(connection) == 5
    last, count = archive(place_missing, 0, 2)
    assert count == 2
    assert archive(place_missing, last, 2)[0] > last
    assert rebuilt(archive) == before
    with reading(archive.engine) as connection:
        assert count_missing(connection) == 0
        assert place_missing(connection, 0, 10) == (None, 0)
