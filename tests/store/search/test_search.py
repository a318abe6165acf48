"""Search on real SQLite and real PostgreSQL: the same queries find the same articles."""

import contextlib
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.store import search as module
from pipeline.store.connection.engine import reading
from pipeline.store.schema.tables import ArticleRow, FeedRow
from pipeline.store.search import search_articles
from pipeline.store.search.index_build import clear_index, index_missing
from pipeline.store.search.terms import QueryError
from tests.support.archive import FEED, HOUR, NOW, Archive

TEXTS = {
    "falluja": (
        "Soleimani and the road to Falluja",
        "The general was seen near the city. Nobody else was there.",
        "en",
    ),
    "tides": (
        "Harbour board looks at the tides",
        "The board of the harbour voted for a well-known plan on Friday.",
        "en",
    ),
    "cookies": ("Parliament taxes cookies", "It was the edible kind. In the harbour nobody was running.", "en"),
    "far": ("An opinion", "Soleimani " + "spoke at length about other things and then some " * 3 + "of Falluja.", "en"),
    "haus": ("Die Häuser am Hafen", "Viele Kinder liefen über die Straße, und ein Lokführer grüßte.", "de"),
    "cafe": (None, "Le café de la région reste ouvert jusqu'à minuit.", "fr"),
    "athens": ("ΑΘΗΝΑ", "Οι δρόμοι της Αθήνας είναι γεμάτοι.", "el"),
}


@pytest.fixture
def archive(engine):
    archive = Archive(engine)
    for day, (name, (title, text, language)) in enumerate(TEXTS.items()):
        at = NOW - timedelta(days=40 * day + 1)
        site = f"{name}.example"
        archive.store(f"https://{site}/1", title=title, text=text, language=language, site=site, published_at=at)
    return archive


def found(archive, query, **limits):
    with reading(archive.engine) as connection:
        return search_articles(connection, query, **limits)


def find(archive, query, **limits):
    return found(archive, query, **limits).hits


def names(archive, query, **limits):
    return {hit.site.removesuffix(".example") for hit in find(archive, query, **limits)}


QUERIES = [
    ("harbour", {"tides", "cookies"}),
    ("HARBOUR", {"tides", "cookies"}),
    ("harbour board", {"tides"}),
    ("board AND harbour", {"tides"}),
    ("cookies OR tides", {"tides", "cookies"}),
    ("harbour -board", {"cookies"}),
    ("harbour NOT (board OR plan)", {"cookies"}),
    ('tides -"board harbour"', {"tides"}),
    ('tides -"harbour board"', set()),
    ("harbour -title:kind", {"tides", "cookies"}),
    ("harbour -title:cookies", {"tides"}),
    ("harbour -(tides NEAR/2 friday)", {"tides", "cookies"}),
    ('"harbour board"', {"tides"}),
    ('"board harbour"', set()),
    ('"the edible kind"', {"cookies"}),
    ("well-known", {"tides"}),
    ('"well known plan"', {"tides"}),
    ("soleimani falluja", {"falluja", "far"}),
    ("soleimani NEAR falluja", {"falluja"}),
    ("falluja NEAR/5 soleimani", {"falluja"}),
    ("falluja NEAR/2 soleimani", set()),
    ("soleimani NEAR/30 falluja", {"falluja", "far"}),
    ("harb*", {"tides", "cookies"}),
    ('"harbour boa"*', {"tides"}),
    ("title:harbour", {"tides"}),
    ("title:soleimani", {"falluja"}),
    ('title:"parliament taxes"', {"cookies"}),
    ("(harbour OR cookies) tides", {"tides"}),
    ("cafe region", {"cafe"}),
    ("café", {"cafe"}),
    ("häuser", {"haus"}),
    ("hauser", {"haus"}),
    ("lokführer straße", {"haus"}),
    ("αθηνα", {"athens"}),
    ("nowhere", set()),
    ("the", {"falluja", "tides", "cookies"}),
]


def test_queries_find_what_they_ask_for(archive):
    assert [(query, names(archive, query)) for query, _ in QUERIES] == QUERIES


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param({"site": "tides.example"}, {"tides"}, id="site"),
        pytest.param({"site": "www.Tides.example"}, {"tides"}, id="site with www"),
        pytest.param({"language": "en"}, {"falluja", "tides", "cookies", "far"}, id="language"),
        pytest.param({"language": "EN"}, {"falluja", "tides", "cookies", "far"}, id="language in capitals"),
        pytest.param({"language": "xx"}, set(), id="unknown language"),
        pytest.param({"since": NOW - timedelta(days=60)}, {"falluja", "tides"}, id="since"),
        pytest.param({"until": NOW - timedelta(days=60)}, {"cookies", "far"}, id="until"),
        pytest.param(
            {"since": NOW - timedelta(days=100), "until": NOW - timedelta(days=30)}, {"tides", "cookies"}, id="both"
        ),
        pytest.param({"since": NOW - timedelta(days=9_000)}, {"falluja", "tides", "cookies", "far"}, id="long since"),
        pytest.param({"limit": 0}, set(), id="none"),
    ],
)
def test_limits_leave_out_the_rest(archive, limits, expected):
    assert names(archive, "harbour OR soleimani", **limits) == expected


def test_the_headline_counts_more_and_what_matches_is_marked(archive):
    first, second = find(archive, "harbour")
    assert (first.site, second.site) == ("tides.example", "cookies.example")
    assert first.score > second.score
    assert [span.text for span in first.title if span.is_match] == ["Harbour"]
    assert "".join(span.text for span in first.title) == "Harbour board looks at the tides"
    assert [span.text for span in second.snippet if span.is_match] == ["harbour"]
    assert "nobody was running" in "".join(span.text for span in second.snippet)
    assert find(archive, "cafe")[0].title == ()


def test_words_are_looked_for_as_they_are_written(archive):
    assert names(archive, "run") == set()
    assert names(archive, "run*") == {"cookies"}


FIELDS = [
    ("harbour site:tides.example", {"tides"}),
    ("harbour -site:www.Tides.example", {"cookies"}),
    ("site:tides.example OR site:cafe.example", {"tides", "cafe"}),
    ("lang:de OR language:EL", {"haus", "athens"}),
    ("harbour author:ruiz", {"tides", "cookies"}),
    ('harbour author:"ada ruiz"', {"tides", "cookies"}),
    ("harbour author:ru*", {"tides", "cookies"}),
    ("harbour author:lind", set()),
    ("ruiz", set()),
    ("ada*", set()),
    ("title:harbour author:ada", {"tides"}),
    (f"(harbour OR soleimani) after:{NOW - timedelta(days=60):%Y-%m-%d}", {"falluja", "tides"}),
    (f"(harbour OR soleimani) before:{NOW - timedelta(days=60):%Y-%m-%d}", {"cookies", "far"}),
    (f"(harbour OR soleimani) published:{NOW - timedelta(days=1):%Y-%m}", {"falluja"}),
    (f"soleimani published:{NOW - timedelta(days=1):%Y-%m-%d}", {"falluja"}),
]


def test_fields_stand_where_words_do(archive):
    assert [(query, names(archive, query)) for query, _ in FIELDS] == FIELDS


def test_a_search_may_be_limited_to_feeds(archive):
    archive(lambda connection: connection.exec_driver_sql("DELETE FROM entry"))
    archive.store("https://tides.example/7", text="A harbour of a feed.", site="tides.example")
    (feed,) = archive.rows(FeedRow)
    for name in (feed["id"], FEED, "feeds.news"):
        assert [hit.url for hit in find(archive, f"harbour feed:{name}")] == ["https://tides.example/7"]
    with pytest.raises(ConfigError, match="no feed is 'nowhere'"):
        find(archive, "harbour feed:nowhere")


def test_a_phrase_does_not_begin_in_the_headline_and_end_in_the_text(archive):
    assert names(archive, '"tides the"') == set()
    assert names(archive, "tides NEAR/2 voted") == set()


def test_authors_that_change_are_found_by_their_new_names(archive):
    archive(lambda connection: connection.exec_driver_sql("UPDATE article SET authors = '[\"Bo Lind\"]'"))
    assert names(archive, "harbour author:lind") == {"tides", "cookies"}
    assert names(archive, "harbour author:ada") == set()


def test_revised_articles_are_found_by_what_they_say_now(archive):
    archive.store(
        "https://tides.example/1", NOW + HOUR, title="Other", text="Seagulls only.", site="tides.example", language="en"
    )
    assert names(archive, "board") == set()
    assert names(archive, "seagulls") == {"tides"}


def test_deleted_articles_vanish(archive):
    def delete(connection):
        connection.exec_driver_sql("DELETE FROM article WHERE site = 'tides.example'")

    archive(delete)
    assert names(archive, "harbour") == {"cookies"}


def test_only_the_newest_matches_are_ranked_and_all_of_few(archive):
    columns = ", ".join(column.name for column in ArticleRow.__table__.columns if column.name not in NOT_COPIED)

    def fill(connection):
        for number in range(module.NEWEST + 20):
            page = connection.execute(sa.text(COPY_PAGE), {"url": f"https://cafe.example/copy/{number}"}).scalar_one()
            copy = (
                f"INSERT INTO article (page_id, url, text, {columns})"
                f" SELECT :page, :url, 'common words', {columns} FROM article WHERE url = 'https://cafe.example/1'"
            )
            connection.execute(sa.text(copy), {"page": page, "url": f"https://cafe.example/copy/{number}"})

    archive(fill)
    hits = find(archive, "common words", limit=10_000)
    assert len(hits) == module.NEWEST
    assert {int(hit.url.rsplit("/", 1)[1]) for hit in hits} == set(range(20, module.NEWEST + 20))
    assert names(archive, "harbour") == {"tides", "cookies"}
    common, rare = found(archive, '"common words"'), found(archive, "harbour", limit=1)
    assert (common.matches, common.is_all, len(common.hits)) == (module.NEWEST, False, 20)
    assert (rare.matches, rare.is_all, len(rare.hits)) == (2, True, 1)


def test_articles_are_found_however_long_ago_they_were_stored(archive):
    columns = ", ".join(
        column.name for column in ArticleRow.__table__.columns if column.name not in ("id", *NOT_COPIED)
    )
    ids = (5_000, 9_000, 40_000, 70_000, 700_000, 3_000_000, 30_000_000)

    def fill(connection):
        for article_id in ids:
            url = f"https://cafe.example/copy/{article_id}"
            page = connection.execute(sa.text(COPY_PAGE), {"url": url}).scalar_one()
            copy = (
                f"INSERT INTO article (id, page_id, url, text, {columns})"
                f" SELECT :id, :page, :url, 'common words', {columns} FROM article WHERE url = 'https://cafe.example/1'"
            )
            connection.execute(sa.text(copy), {"id": article_id, "page": page, "url": url})

    archive(fill)
    for query in ("common words", '"common words"', "words NEAR common"):
        assert sorted(hit.article_id for hit in find(archive, query)) == sorted(ids)
    assert [hit.article_id for hit in find(archive, '"words common"')] == []
    assert names(archive, "harbour") == {"tides", "cookies"}


def test_where_words_stand_is_looked_at_in_so_many_articles_on_postgresql(archive):
    if archive.engine.dialect.name == "sqlite":
        pytest.skip("SQLite's index knows where words stand")
    archive.store("https://cafe.example/2", text="common words", site="cafe.example", language="en")
    columns = ", ".join(column.name for column in ArticleRow.__table__.columns if column.name not in NOT_COPIED)
    pages = (
        "INSERT INTO page (url, host, state, discovered_at) SELECT 'https://cafe.example/copy/' || n, host, state,"
        f" discovered_at FROM page, generate_series(1, {module.LOOKED_AT}) AS n WHERE url = 'https://cafe.example/1'"
    )
    articles = (
        f"INSERT INTO article (page_id, url, text, {columns}) SELECT p.id, p.url, 'words in common',"
        f" {', '.join(f'a.{name}' for name in columns.split(', '))}"
        " FROM page AS p, article AS a WHERE p.url LIKE '%/copy/%' AND a.url = 'https://cafe.example/1'"
    )
    archive(lambda connection: connection.execute(sa.text(pages)))
    assert [(hit.url, found(archive, '"common words"').is_all) for hit in find(archive, '"common words"')] == [
        ("https://cafe.example/2", True)
    ]
    archive(lambda connection: connection.execute(sa.text(articles)))
    assert (find(archive, '"common words"'), found(archive, '"common words"').is_all) == ([], False)
    assert found(archive, '"words in common"').matches == module.NEWEST


NOT_COPIED = ("id", "page_id", "url", "text")
COPY_PAGE = """INSERT INTO page (url, host, state, discovered_at)
SELECT :url, host, state, discovered_at FROM page WHERE url = 'https://cafe.example/1' RETURNING id"""

PIECES = st.sampled_from(
    ["NEAR", "NEAR/2", " OR ", " AND ", " NOT ", "title:", *"ab \"()-*:/'\\&|!<>%;{}^+$?\x00\x02é新"]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(pieces=st.lists(PIECES | st.text(max_size=5), max_size=12))
def test_any_input_is_answered_or_refused_with_a_reason(archive, pieces):
    with contextlib.suppress(QueryError):  # and nothing else
        find(archive, "".join(pieces))


def test_an_index_that_is_not_filled_is_refused_until_it_is_and_an_empty_archive_is_not(archive):
    assert find(archive, "nowhereatall") == []
    archive(clear_index)
    archive.store("https://new.example/1", text="A new harbour.", site="new.example")
    with pytest.raises(ConfigError, match="news db upgrade"):
        find(archive, "harbour")
    # What is not in the index yet may change, and go.
    archive(lambda connection: connection.exec_driver_sql("DELETE FROM article WHERE site = 'far.example'"))
    archive(
        lambda connection: connection.exec_driver_sql(
            "UPDATE article SET title = 'Harbour' WHERE url LIKE '%%//cafe%%'"
        )
    )
    below, batches = None, []
    while True:
        below, count = archive(index_missing, below, 4)
        if below is None:
            break
        batches.append(count)
    assert batches == [4, 2]
    assert names(archive, "harbour") == {"tides", "cookies", "cafe", "new"}
    archive(lambda connection: connection.execute(sa.delete(ArticleRow)))
    assert find(archive, "harbour") == []


def test_a_site_without_articles_is_no_empty_answer(archive):
    with pytest.raises(ConfigError, match="no article is of the site"):
        find(archive, "harbour", site="nowhere.example")
