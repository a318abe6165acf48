"""Sections and tags that readers are meant to read, and kinds that schema.org has."""

import doctest

import pytest
from lxml import html

from pipeline.metadata import details, read_metadata
from pipeline.metadata.details import is_kind_of_article, is_label


def read(head: str):
    return read_metadata(
        html.document_fromstring(f"<html><head>{head}</head><body></body></html>"), "https://a.example/b"
    )


LABELS = [
    "Harbour",
    "donald-trump",
    "2026",
    "Race/Ethnicity",
    "BANGKOK: a film",
    "Coins: US",
    "4000 hertz",
    "港口",
    "B2B",
]
KEYS = [
    "content-type: Feature",
    "contentId: e7533a37-5b0a-4043-b1af-48b5dd6edf9d",
    "e7533a37-5b0a-4043-b1af-48b5dd6edf9d",
    "editors_pick",
    "channel=sport",
    "15408",
    "rtd-feed",
    "comments-enabled",
]


def test_words_for_readers_are_kept():
    assert [text for text in LABELS if is_label(text)] == LABELS


@pytest.mark.parametrize("key", KEYS)
def test_keys_of_content_management_systems_go(key):
    assert not is_label(key)


def test_tags_are_what_is_left_of_the_keywords():
    assert read("<meta name='keywords' content='Harbour, editors_pick, displayType: list, Locks'>").tags == (
        "Harbour",
        "Locks",
    )


@pytest.mark.parametrize("rest", ["Uncategorized", "Sin categoría", "未分类", "section_id: 12"])
def test_a_section_that_says_nothing_gives_way(rest):
    head = f"<meta property='article:section' content='{rest}'><meta name='section' content='City'>"
    assert read(head).section == "City"


@pytest.mark.parametrize(
    ("kind", "is_one"), [("news", True), ("recipe", True), ("website", False), ("video.other", False)]
)
def test_kinds_are_types_of_schema_org(kind, is_one):
    assert is_kind_of_article(kind) is is_one


def test_the_examples_of_the_module_hold():
    assert doctest.testmod(details).failed == 0
