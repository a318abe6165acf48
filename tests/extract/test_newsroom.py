"""Extraction gives what the sample newsroom expects of its pages: the text whole, the boilerplate gone."""

import pytest

from examples.newsroom.serve import Newsroom
from pipeline.extract import PageInput, extract_article
from pipeline.model import Article


@pytest.fixture(scope="module")
def pages():
    """By slug: the article's source, what was extracted from its page, and what is expected."""
    with Newsroom() as newsroom:
        return {page[0].slug: page for page in extracted(newsroom)}


def extracted(newsroom):
    for told in newsroom.expected():
        site = newsroom.sites[told["site"]]
        path = told["url"].partition(f":{newsroom.port}")[2]
        source = next(article for article in site.articles.values() if article.path == path)
        body = newsroom.answer(site.host, path).body
        yield source, extract_article(PageInput(body, told["url"], charset=site.encoding)), told


def test_every_page_holds_an_article_under_its_headline(pages):
    for _, article, told in pages.values():
        assert isinstance(article, Article), told["url"]
        assert article.title == told["title"]


def test_no_paragraph_of_any_article_is_lost_in_any_language(pages):
    for source, article, told in pages.values():
        kept = article.text.split("\n\n")
        wanted = [line for block in source.blocks if block.kind in {"p", "quote"} for line in block.lines]
        assert [line for line in wanted if line not in kept] == [], told["url"]


def test_the_four_lines_after_the_last_paragraph_go_and_nothing_else_does(pages):
    _, article, told = pages["strait-commander"]
    removed = [removed.text for removed in article.removed]
    start = removed.index(
        "NOW WATCH: An investor explains why she would rather buy a lighthouse than a shipping company"
    )
    assert removed[start + 1 : start + 4] == [
        "Meridian Ledger Emails & Alerts",
        "Site highlights each day to your inbox.",
        "Follow Meridian Ledger Karnia on Facebook, Twitter, LinkedIn, and Instagram.",
    ]
    assert article.text.endswith(told["paragraphs"][-1])
    assert set(article.text.split("\n\n")) <= set(told["paragraphs"])


@pytest.mark.parametrize(
    "slug", ["bakery-fire", "cookie-tax", "lighthouse-auditor", "strait-commander", "marsa-library", "minato-market"]
)
def test_an_article_comes_out_exactly(pages, slug):
    _, article, told = pages[slug]
    assert article.text.split("\n\n") == told["paragraphs"]
    assert (list(article.authors), article.language) == (told["authors"], told["language"])


def test_five_articles_in_six_come_out_to_the_letter(pages):
    """A change that lets boilerplate of one kind back in shows here first; those that differ are named."""
    differing = [told["url"] for _, article, told in pages.values() if article.text.split("\n\n") != told["paragraphs"]]
    assert 6 * len(differing) <= len(pages), differing
