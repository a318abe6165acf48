"""`news report`: one page that needs nothing else, true to the archive, and fit to be looked at."""

import json
import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from lxml import etree

from pipeline.cli import main
from pipeline.errors import FetchError
from pipeline.export.report_page import render_report
from pipeline.model import Entry
from pipeline.schedule.pages import after_error
from pipeline.store.connection.readonly import only_reading
from pipeline.store.frontier.page_outcomes import record_page
from pipeline.store.queries.report_data import DELAYS, FIELDS, load_report_data
from pipeline.store.schema.tables import ArticleRow
from tests.support.archive import HOUR, MINUTE, NOW, POLICY, Archive

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
ODD = '<script>alert("x")</script> & “Ümläute” \x0b日本'
LOADING = {"src", "href", "srcset", "data", "action", "poster", "{http://www.w3.org/1999/xlink}href"}


@pytest.fixture
def archive(engine):
    """Three articles, two of which are one story, an odd title, a page that failed."""
    archive = Archive(engine)
    told = {"access": "paid", "publisher": "One", "captions": ("At dawn",)}
    archive.store("https://one.example/a", site="one.example", title=ODD, published_at=NOW - 10 * MINUTE, **told)
    archive.store("https://two.example/b", site="two.example", now=NOW + HOUR, published_at=NOW - HOUR)
    archive.store("https://two.example/c", site="two.example", now=NOW + HOUR, text="Other.", authors=(), language="de")
    archive.poll(Entry(guid="d", url="https://one.example/d"), now=NOW)
    page = archive.claim(host="one.example")
    lost = after_error(page, FetchError(page.url, "http_404", temporary=False, status=404), NOW, POLICY)
    archive(record_page, page, "w", lost, NOW)
    return archive


def look(archive, days=1):
    with only_reading(archive.engine) as connection:
        return load_report_data(connection, timedelta(days=days))


def page_of(archive):
    pytest.importorskip("matplotlib")
    return render_report(look(archive), datetime(2026, 11, 23, tzinfo=UTC))


def parsed(page):
    """Parsed strictly, as XML: whatever is not closed or not escaped is an error."""
    return etree.fromstring(page.encode(), etree.XMLParser(recover=False, resolve_entities=False))


def test_the_numbers_are_those_of_the_archive(archive):
    found = look(archive)
    assert found.totals == {"articles": 3, "sites": 2, "revisions": 3, "feeds": 1, "pages": 4}
    assert found.hours == [("2026-11-22 12", "one.example", 1), ("2026-11-22 13", "two.example", 2)]
    assert {name: number for name, number in found.delays if number} == {"5–15 minutes": 1, "1–3 hours": 1}
    assert [name for name, _ in found.delays] == [name for name, _ in DELAYS]
    assert found.undated == 1
    assert found.reasons == [("failed", "http_404", 1)]
    assert found.feed_states == {"active": 1}
    ((day, articles, filled),) = found.fill
    assert (day, articles) == ("2026-11-22", 3)
    assert dict(zip(FIELDS, filled, strict=True)) == dict.fromkeys(FIELDS, 0) | {
        "title": 3, "authors": 2, "published_at": 2, "language": 1, "tags": 3,
        "access": 1, "publisher": 1, "captions": 1,
    }  # fmt: skip
    assert (found.begin, found.end) == (NOW.replace(hour=0) - timedelta(days=1), NOW + HOUR)


def test_only_the_days_that_are_asked_for_are_shown(archive):
    with archive.engine.begin() as connection:
        long_ago = {"first_seen_at": NOW - timedelta(days=30)}
        connection.execute(sa.update(ArticleRow).where(ArticleRow.url.like("%/a")).values(long_ago))
    assert [site for _, site, _ in look(archive, days=7).hours] == ["two.example"]
    assert [site for _, site, _ in look(archive, days=31).hours] == ["one.example", "two.example"]


def test_the_page_is_well_formed_and_asks_for_nothing(archive):
    page = page_of(archive)
    tree = parsed(page)
    assert len(tree.findall(f".//{SVG}svg")) == 5
    for element in tree.iter(etree.Element):
        for name, value in element.attrib.items():
            assert name not in LOADING or value.startswith("#"), (element.tag, name, value)
            assert "url(" not in value or "url(#" in value
        assert etree.QName(element).localname not in {"script", "link", "iframe", "object", "embed", "img", "image"}
    assert "url(" not in tree.findtext("head/style")
    assert "@import" not in page
    known = {"www.w3.org", "one.example", "two.example", "feeds.news.example"}  # names of formats, and of the archive
    assert {urlsplit(found).hostname for found in re.findall(r"https?://[^\s\"'<)]+", page)} <= known


def test_what_others_wrote_is_text_and_nothing_else(archive):
    copy = "https://two.example/copy"
    archive.store(copy, site="two.example", now=NOW + HOUR, title="Copy", published_at=NOW)
    assert "<script" not in page_of(archive)


def test_every_plot_has_a_title_a_description_and_its_numbers_beside_it(archive):
    tree = parsed(page_of(archive))
    ids = [element.get("id") for element in tree.iter(etree.Element) if element.get("id")]
    assert len(ids) == len(set(ids))
    for plot in tree.findall(f".//{SVG}svg"):
        assert plot.get("role") == "img"
        for part, name in zip(("title", "desc"), plot.get("aria-labelledby").split(), strict=True):
            found = plot.find(f"{SVG}{part}")
            assert (found.get("id"), bool(found.text)) == (name, True)
        assert plot.getparent().getparent().find(".//table") is not None
    assert [head.get("scope") for head in tree.iter("th")] == ["col"] * len(list(tree.iter("th")))


def test_the_same_archive_makes_the_same_page(archive):
    assert page_of(archive) == page_of(archive)


def test_an_empty_archive_has_a_page_too(engine):
    tree = parsed(page_of(Archive(engine)))
    told = "".join(tree.itertext())
    assert told.count("Nothing yet.") == 6
    assert "The archive is empty. Times are UTC." in told


def test_what_a_search_finds_is_shown_by_month_and_site(archive, tmp_path):
    pytest.importorskip("matplotlib")
    archive.store("https://one.example/z", site="one.example", text="Four.", published_at=NOW - timedelta(days=70))
    url = archive.engine.url.render_as_string(hide_password=False)
    words = ["report", "--search", "four -lang:de", "--out", str(tmp_path / "found.html")]
    done = CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": url})
    assert done.exit_code == 0, done.output
    section = parsed((tmp_path / "found.html").read_text("utf-8")).find("body/main/section")
    assert section.findtext("h2") == "Articles that match: four -lang:de"
    assert section.findtext("p").startswith("3 articles of 2 sites,")
    shown = [["".join(cell.itertext()) for cell in row] for row in section.iter("tr")]
    assert shown == [
        *(["month", "articles"], ["2026-09", "1"], ["2026-11", "2"]),
        *(["site", "articles"], ["one.example", "2"], ["two.example", "1"]),
    ]
    # A month without any has its place between the others.
    assert {"2026-09", "2026-10", "2026-11"} <= {label.text for label in section.iter(f"{SVG}text")}
    assert CliRunner().invoke(main, [*words[:2], "(", *words[3:]], env={"NEWS_DATABASE_URL": url}).exit_code == 2


def test_a_young_archive_of_one_article_is_shown_from_its_first_day_on(engine):
    Archive(engine).store()
    tree = parsed(page_of(Archive(engine)))
    told = "".join(tree.itertext())
    assert "1 article of 1 source; the busiest hour began on 2026-11-22 12:00." in told
    # The stretch begins the day before, of which there is nothing to show: hours of one day are its labels.
    assert {"00:00", "12:00"} <= {label.text for label in tree.iter(f"{SVG}text")}


def test_days_are_told_in_few_characters_so_that_their_labels_do_not_meet(engine):
    archive = Archive(engine)
    for day in range(30):
        archive.store(f"https://one.example/{day}", now=NOW + timedelta(days=day), text=f"Text {day}.")
    pytest.importorskip("matplotlib")
    tree = parsed(render_report(look(archive, days=30), NOW))
    labels = {label.text for label in tree.iter(f"{SVG}text")}
    assert {"22 Nov", "26 Nov"} <= labels
    assert not any(re.fullmatch(r"20\d\d-.*", label or "") for label in labels)


def test_the_command_writes_the_page(archive, tmp_path):
    pytest.importorskip("matplotlib")
    url = archive.engine.url.render_as_string(hide_password=False)
    words = ["report", "--days", "3", "--out", str(tmp_path / "new/report.html")]
    done = CliRunner().invoke(main, words, env={"NEWS_DATABASE_URL": url})
    assert done.exit_code == 0, done.output
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["report.html"]
    parsed((tmp_path / "new/report.html").read_text())


BROWSER, PUPPETEER = os.environ.get("NEWS_TEST_BROWSER"), os.environ.get("NEWS_TEST_PUPPETEER")


@pytest.mark.skipif(
    not (BROWSER and PUPPETEER),
    reason="no browser: NEWS_TEST_BROWSER names a Chromium, NEWS_TEST_PUPPETEER a folder in which puppeteer-core is",
)
def test_a_browser_shows_it_at_any_width_and_is_sent_nowhere(archive, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(page_of(archive))
    script = Path(__file__).parents[1] / "support/screenshot.mjs"
    words = ["node", str(script), file.as_uri(), str(tmp_path)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=PUPPETEER)
    told = json.loads(done.stdout)
    assert set(told["asked"]) == {file.as_uri()}
    assert told["widths"] == {"1280": 1280, "400": 400}
    assert all((tmp_path / f"{width}.png").read_bytes().startswith(b"\x89PNG") for width in (1280, 400))
