"""What an article carries beside its text: where each field came from, captions, corrections; and that it is kept."""

from datetime import timedelta

import sqlalchemy as sa

from pipeline.extract import PageInput, extract_article
from pipeline.model import Article
from pipeline.store.connection.engine import reading
from pipeline.store.schema.tables import ArticleRow, RevisionRow
from tests.support.archive import FETCHED, NOW, POLICY, Archive, article, save_article

URL = "https://harbour.example/cranes.html"
BODY = "".join(
    f"<p>{sentence}</p>"
    for sentence in (
        "The four old cranes of the harbour have moved to the new quay, where work will begin in May.",
        "They were carried on barges, which took the whole night and most of the morning to arrive.",
        "The port authority says that the rails have been laid and that the quay is dry.",
        "Correction: An earlier version of this article named the wrong month.",
    )
)
PAGE = f"""<html lang="en"><head><title>Cranes move | Harbour News</title>
<meta property="og:title" content="Old cranes move at last"><meta property="og:site_name" content="Harbour News">
<script type="application/ld+json">{{"@type": "OpinionNewsArticle", "headline": "Cranes move",
"isAccessibleForFree": false, "datePublished": "2026-03-04",
"publisher": {{"@type": "Organization", "name": "Harbour Press"}}}}</script></head><body>
<article><h1>Cranes move</h1><figure><img src="a.jpg"><figcaption>The last crane at dawn, seen from the old
lighthouse</figcaption></figure>{BODY}</article></body></html>"""


def extracted() -> Article:
    found = extract_article(PageInput(PAGE.encode(), URL))
    assert isinstance(found, Article)
    return found


def test_each_field_tells_where_it_came_from_and_who_disagrees():
    found = extracted()
    assert "json-ld" in found.provenance["title"]["from"]
    assert 0 < found.provenance["title"]["sure"] <= 1
    assert ["og:title", "Old cranes move at last"] in found.provenance["title"]["others"]
    assert (found.published_precision, found.site_name, found.publisher) == ("day", "Harbour News", "Harbour Press")
    assert (found.access, found.kind) == ("paid", "opinionnews")


def test_each_author_is_told_a_person_or_an_organisation():
    signed = PAGE.replace("</h1>", "</h1><p class='byline'>By Ann Lee and Reuters</p>")
    assert extract_article(PageInput(signed.encode(), URL)).provenance["authors"]["kinds"] == ["person"]
    signed = PAGE.replace("</h1>", "</h1><p class='byline'>Reuters</p>")
    assert extract_article(PageInput(signed.encode(), URL)).provenance["authors"]["kinds"] == ["agency"]


def test_captions_and_corrections_stand_apart_from_the_text():
    found = extracted()
    assert found.captions == ("The last crane at dawn, seen from the old lighthouse",)
    assert found.corrections == ("Correction: An earlier version of this article named the wrong month.",)
    assert "lighthouse" not in found.text
    assert "earlier version" not in found.text


def test_what_only_stands_where_corrections_do_is_no_notice_of_one():
    box = """<aside class="corrections"><ul><li><a href="/desk">Report an error</a></li>
<li><a href="/rules">How we correct</a></li></ul><div>Correction: The rails are of steel.</div></aside>"""
    found = extract_article(PageInput(PAGE.replace("</figure>", f"</figure>{box}").encode(), URL))
    assert found.corrections == (
        "Correction: The rails are of steel.",
        "Correction: An earlier version of this article named the wrong month.",
    )
    assert {gone.text: gone.reason for gone in found.removed}["Report an error"] == "note"


def test_all_of_it_is_kept_with_the_article_and_its_revision(engine):
    archive = Archive(engine)
    fields = {"provenance": extracted().provenance, "captions": ("At dawn",), "corrections": ("Correction: May.",)}
    archive.store(**fields, access="paid", kind="opinionnews", publisher="Harbour Press")
    with reading(engine) as connection:
        stored = connection.execute(sa.select(ArticleRow.__table__)).mappings().one()
        revision = connection.execute(sa.select(RevisionRow.__table__)).mappings().one()
    assert stored["provenance"] == extracted().provenance
    assert (stored["captions"], stored["corrections"]) == (["At dawn"], ["Correction: May."])
    assert (stored["access"], stored["kind"], stored["publisher"]) == ("paid", "opinionnews", "Harbour Press")
    assert revision["corrections"] == ["Correction: May."]


def test_the_same_page_again_changes_nothing(engine):
    archive = Archive(engine)
    archive.store(provenance=extracted().provenance)
    later = NOW + timedelta(hours=3)
    page = archive.claim(now=later)
    assert page is not None
    found = article(page.url, provenance=extracted().provenance)
    assert archive(save_article, page, "w", found, FETCHED, later, POLICY).decision == "unchanged"
    (stored,) = archive.rows(ArticleRow)
    assert stored["updated_at"] == NOW


def test_a_date_that_the_page_no_longer_shows_is_still_its_articles(engine):
    archive = Archive(engine)
    archive.store(published_at=NOW, published_from="json-ld", published_precision="time")
    later = NOW + timedelta(hours=3)
    page = archive.claim(now=later)
    assert page is not None
    assert archive(save_article, page, "w", article(page.url), FETCHED, later, POLICY).decision == "unchanged"
    (stored,) = archive.rows(ArticleRow)
    told = (stored["published_at"], stored["published_from"], stored["published_precision"])
    assert told == (NOW, "json-ld", "time")
