"""Our reader beside feedparser over the documents of feedparser's own tests, where `make peers` has put them."""

import calendar
import io
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest

from pipeline.errors import FeedError
from pipeline.parse import parse_feed

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted((ROOT / ".peers").glob("feedparser-*/tests/**/*.xml"))
URL = "http://127.0.0.1:8097/x/feed.xml"
KNOWN = ("id", "link", "title", "summary")
DIFFERENCES = {
    "rss_incomplete_cdata.xml": "ends before its first entry does",
    "entity_in_doctype.xml": "entities that a document declares are never resolved",
    "atom10_id.xml": "entries with one id are one entry",
    "atom10_title.xml": "entries with one title and no id are one entry",
    "entry_content_xml_lang_blank_3.xml": "entries with one text and no id are one entry",
    "item_category_image.xml": "the link of a picture is not the entry's",
    "cdf_item_abstract_xml_base.xml": "BASE is an attribute of CDF, which no feed has been in for twenty years",
    "atomsvg.xml": "nothing but a drawing",
    "atomsvgdesc.xml": "nothing but a drawing",
    "atomsvgtitle.xml": "nothing but a drawing",
    "atomxlink.xml": "nothing but a drawing",
}


def known_by(entry):
    """Whether there is anything to know the entry by but markup without text."""
    return any(str(dict.get(entry, key) or "").strip().rpartition(">")[2] for key in KNOWN)


def moments(entry):
    for key in ("published_parsed", "updated_parsed"):
        if value := dict.get(entry, key):
            moment = datetime.fromtimestamp(calendar.timegm(value), UTC)
            yield key.removesuffix("parsed") + "at", moment if moment.year >= 1990 else None


@pytest.mark.skipif(not DOCUMENTS, reason="no documents of feedparser's tests in .peers/: `make peers` puts them there")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_entry_nor_fact_is_lost_that_feedparser_has():
    assert len(DOCUMENTS) > 2_000
    lost = []
    for path in DOCUMENTS:
        if path.name in DIFFERENCES:
            continue
        body = path.read_bytes()
        peer = feedparser.parse(io.BytesIO(body), response_headers={"content-type": "application/xml"})
        try:
            ours = parse_feed(body, URL)
        except FeedError as error:
            lost += [(path.name, error.reason)] if peer.entries else []
            continue
        if sum(map(known_by, peer.entries)) > len(ours.entries):
            lost.append((path.name, "entries", len(peer.entries), len(ours.entries), ours.skipped))
        if len(peer.entries) != len(ours.entries):
            continue
        for theirs, entry in zip(peer.entries, ours.entries, strict=True):
            if dict.get(theirs, "id", "").strip() and not entry.guid.startswith(theirs.id):
                lost.append((path.name, "id", theirs.id, entry.guid))
            if dict.get(theirs, "link", "").startswith("http") and entry.url is None:
                lost.append((path.name, "link", theirs.link))
            if dict.get(theirs, "title", "").strip() and entry.title is None:
                lost.append((path.name, "title", theirs.title))
            if any(author.get("name") for author in dict.get(theirs, "authors", ())) and not entry.authors:
                lost.append((path.name, "authors", theirs.authors))
            lost += [(path.name, key, at) for key, at in moments(theirs) if at and getattr(entry, key) != at]
    assert lost == []
