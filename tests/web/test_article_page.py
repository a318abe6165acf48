"""One article: what was removed in its place, what is known of it, its revisions, and marks that become pins."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

pytest.importorskip("starlette", reason="the pages need the extra web")
pytest.importorskip("itsdangerous", reason="the pages need the extra web")

import sqlalchemy as sa
from click.testing import CliRunner

from pipeline.cli import main
from pipeline.store.schema.tables import ArticleRow, RawRow
from tests.support.pages import Reader, form_token, text_of
from tests.support.recording import REVISIT
from tests.support.stories import article_page, paragraphs, title
from tests.support.web import page, validated

STRIPPED = "Sign up for our newsletter to get the news of the harbour every morning."


def with_stripped(number):
    text = paragraphs(number)
    return article_page(number, text=[*text[:2], STRIPPED, *text[2:]])


@pytest.fixture
def newsroom(kept):
    kept.serve_stories(1, 2)
    kept.web.routes["/1"] = validated(with_stripped(1), '"1"')
    kept.ingest()
    return kept


def reader_of(newsroom, **settings):
    return Reader(newsroom.engine, replace(newsroom.settings, **settings))


def article_id(newsroom, path="/1"):
    return next(row["id"] for row in newsroom.rows(ArticleRow) if row["url"] == newsroom.web.url(path))


def test_what_was_removed_is_struck_through_where_it_stood(newsroom):
    tree = reader_of(newsroom).get(f"/articles/{article_id(newsroom)}")
    shown = text_of(tree, "//article//p")
    assert shown == [title(1), *paragraphs(1)[:2], STRIPPED, *paragraphs(1)[2:]]
    assert text_of(tree, "//article//del") == [title(1), STRIPPED]
    reasons = text_of(tree, "//article//*[@class='reason']")
    assert [reason.startswith("removed: ") for reason in reasons] == [True, True]


def test_the_page_tells_where_fields_come_from_and_who_announced_it(newsroom):
    tree = reader_of(newsroom).get(f"/articles/{article_id(newsroom)}")
    assert text_of(tree, "//h1") == [title(1)]
    fields = text_of(tree, "//*[@aria-label='Provenance']//tr/td[1]")
    assert {"title", "published at"} <= set(fields)
    assert tree.xpath("//h2[.='Announced by']/following-sibling::ul//a/@href") == ["/feeds/1"]
    assert newsroom.web.url("/1") in " ".join(text_of(tree, "//h2[contains(., 'ledger')]/following-sibling::ul"))


def test_a_revision_is_shown_as_what_went_and_what_came(newsroom):
    changed = article_page(1, text=[paragraphs(1)[0].replace("Friday", "Monday"), *paragraphs(1)[1:]])
    newsroom.web.routes["/1"] = validated(changed, '"2"')
    newsroom.ahead = REVISIT
    newsroom.ingest()
    reader = reader_of(newsroom)
    number = article_id(newsroom)
    links = reader.get(f"/articles/{number}").xpath("//h2[.='Revisions']/following-sibling::ol//a/@href")
    assert links == [f"/articles/{number}/revisions/2"]
    tree = reader.get(links[0])
    assert (text_of(tree, "//article//del"), text_of(tree, "//article//ins")) == (["Friday"], ["Monday"])


def test_an_archived_response_is_text_and_never_a_page(newsroom):
    reader = reader_of(newsroom)
    row = next(row for row in newsroom.rows(RawRow) if row["url"] == newsroom.web.url("/1"))
    shown = reader.client.get(f"/raw/{row['id']}")
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"
    assert shown.headers["content-security-policy"].startswith("sandbox")
    assert shown.text == with_stripped(1)
    saved = reader.client.get(f"/raw/{row['id']}?download=1")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.content == with_stripped(1).encode()


@pytest.mark.parametrize(
    "path", ["/articles/999", f"/articles/{10**30}", "/raw/999", f"/raw/{10**30}", "/articles/1/revisions/77"]
)
def test_what_is_not_there_is_told(newsroom, path):
    reader_of(newsroom).get(path, status=404)


def run_gate(folder):
    done = CliRunner().invoke(main, ["gate", "run", "--json", "--folder", str(folder)], catch_exceptions=False)
    (changed,) = json.loads(done.stdout)["changed"] or [None]
    return done.exit_code, changed


def test_marks_become_pins_that_keep_the_gate_shut(newsroom, tmp_path):
    folder = tmp_path / "gate"
    reader, number = reader_of(newsroom, gate_dir=str(folder)), article_id(newsroom)
    path = f"/articles/{number}"
    (content_hash,) = reader.get(path).xpath("//input[@name='content_hash']/@value")

    said = reader.send(f"{path}/marks", path, mark="keep:1", content_hash=content_hash)
    assert "Marked" in text_of(said, "//*[@role='status']")[0]
    exit_code, changed = run_gate(folder)
    assert (exit_code, [line for line in changed["diff"] if line[0] in "+-"]) == (1, [f"-text: {STRIPPED}"])
    stored = json.loads(next(folder.glob("*.json")).read_text())
    assert stored["expected"]["text"] == [*paragraphs(1)[:2], STRIPPED, *paragraphs(1)[2:]]

    reader.send(f"{path}/marks", path, mark="drop:3", content_hash=content_hash)
    reader.send(f"{path}/marks", path, mark="title", content_hash=content_hash, title="The pier")
    said = reader.send(f"{path}/marks", path, mark="published_at", content_hash=content_hash)
    exit_code, changed = run_gate(folder)
    assert exit_code == 1
    assert f"+text: {paragraphs(1)[3]}" in changed["diff"]
    assert "-title: The pier" in changed["diff"]
    assert any(line.startswith("-published_at: another") for line in changed["diff"])
    assert [mark["kind"] for mark in changed["marks"]] == ["keep", "drop", "title", "published_at"]
    assert len(text_of(said, "//h2[.='Your marks']/following-sibling::ul/li")) == 4

    reader.send(f"{path}/marks/forget", path)
    assert list(folder.iterdir()) == []


def test_a_mark_of_another_text_than_is_shown_is_refused(newsroom, tmp_path):
    reader, number = reader_of(newsroom, gate_dir=str(tmp_path)), article_id(newsroom)
    path = f"/articles/{number}"
    token = form_token(reader.client.get(path))
    for mark, content_hash in (("drop:0", "of yesterday"), ("drop:77", None), ("text:0", None), ("drop:-1", None)):
        (present,) = reader.get(path).xpath("//input[@name='content_hash']/@value")
        form = {"form_token": token, "mark": mark, "content_hash": content_hash or present}
        assert reader.client.post(f"{path}/marks", data=form).status_code == 400
    assert list(tmp_path.glob("*.json")) == []


def test_a_title_that_is_html_stays_text(newsroom):
    odd = "<img src=x onerror=alert(1)>\"'</title><script>alert(2)</script>\u202egpj"
    newsroom.web.routes["/1"] = page(article_page(1, headline=odd))
    newsroom.ahead = REVISIT
    newsroom.ingest()
    path = f"/articles/{article_id(newsroom)}"
    answer = reader_of(newsroom).client.get(path)
    assert "<img" not in answer.text
    assert "<script>" not in answer.text
    assert "\u202e" not in answer.text


def test_texts_from_right_to_left_keep_their_marks_and_steer_nothing_around_them(newsroom):
    text = "\n\n".join(f"{part}\u200f ({number}) \u202e" for number, part in enumerate(paragraphs(1)))
    with newsroom.engine.begin() as connection:
        connection.execute(sa.update(ArticleRow).values(text=text))
    tree = reader_of(newsroom).get(f"/articles/{article_id(newsroom)}")
    shown = tree.xpath("//article//p[contains(., '\u200f')]")
    assert len(shown) == 4
    assert {element.get("dir") for element in shown} == {"auto"}


def test_headings_items_and_quotations_are_shown_as_such(newsroom):
    text = paragraphs(7)
    body = f"<h2>{text[1][:40]}</h2><ul><li>{text[2]}</li></ul><blockquote><p>{text[3]}</p></blockquote>"
    whole = article_page(7, text=[text[0], "MARK"]).replace("<p>MARK</p>", body + f"<p>{text[1]}</p>")
    newsroom.web.routes["/7"] = page(whole)
    newsroom.web.routes["/feed.xml"] = page(newsroom.feed_of(1, 2, 7), "application/rss+xml")
    newsroom.ingest()
    tree = reader_of(newsroom).get(f"/articles/{article_id(newsroom, '/7')}")
    kept = tree.xpath("//article/div[not(contains(@class, 'removed'))]")
    assert [(div.get("class").split()[1], div[0].tag) for div in kept] == [
        ("paragraph", "p"),
        ("heading", "h2"),
        ("item", "p"),
        ("quote", "p"),
        ("paragraph", "p"),
    ]


def test_marks_taken_back_twice_leave_what_somebody_else_pinned(newsroom, tmp_path):
    folder = tmp_path / "gate"
    reader, path = reader_of(newsroom, gate_dir=str(folder)), f"/articles/{article_id(newsroom)}"
    (content_hash,) = reader.get(path).xpath("//input[@name='content_hash']/@value")
    reader.send(f"{path}/marks", path, mark="keep:1", content_hash=content_hash)
    file = next(folder.glob("*.json"))
    about = json.loads(file.read_text())
    file.write_text(json.dumps({name: about[name] for name in about if name not in {"marks", "unmarked", "wrong"}}))
    reader.send(f"{path}/marks", path, mark="keep:1", content_hash=content_hash)
    for _ in range(2):
        reader.send(f"{path}/marks/forget", path)
    assert file.is_file()
    assert "marks" not in json.loads(file.read_text())


def test_of_marks_that_are_set_at_once_none_is_lost(newsroom, tmp_path):
    folder = tmp_path / "gate"
    reader, path = reader_of(newsroom, gate_dir=str(folder)), f"/articles/{article_id(newsroom)}"
    (content_hash,) = reader.get(path).xpath("//input[@name='content_hash']/@value")
    form = {"form_token": reader.token(path), "content_hash": content_hash}
    with ThreadPoolExecutor(6) as threads:
        sent = [
            threads.submit(
                reader.client.post, f"{path}/marks", data=form | {"mark": "title", "title": f"Title {number}"}
            )
            for number in range(6)
        ]
    assert {answer.result().status_code for answer in sent} == {303}
    assert len(json.loads(next(folder.glob("*.json")).read_text())["marks"]) == 6


def test_of_many_revisions_the_newest_are_shown(newsroom, monkeypatch):
    monkeypatch.setattr("pipeline.store.queries.article_record.MOST", 1)
    text = [paragraphs(1)[0].replace("Friday", "Monday"), *paragraphs(1)[1:]]
    newsroom.web.routes["/1"] = validated(article_page(1, text=text), '"2"')
    newsroom.ahead = REVISIT
    newsroom.ingest()
    number = article_id(newsroom)
    links = reader_of(newsroom).get(f"/articles/{number}").xpath("//h2[.='Revisions']/following-sibling::ol//a/@href")
    assert links == [f"/articles/{number}/revisions/2"]


@pytest.mark.parametrize("number", ["9" * 5000, 2**70])
def test_an_article_of_a_number_that_is_none_is_not_there(newsroom, number, tmp_path):
    reader = reader_of(newsroom, gate_dir=str(tmp_path))
    form = {"form_token": reader.token("/feeds/1"), "mark": "title"}
    for path in ("marks", "marks/forget"):
        assert reader.client.post(f"/articles/{number}/{path}", data=form).status_code in {400, 404}
