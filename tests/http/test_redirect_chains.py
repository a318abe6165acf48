"""Cookies of one chain of redirects: who gets which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.http.answers import begins_at, is_complete_document, size_of
from pipeline.http.redirect_chains import MAX_COOKIE, cookie_header, refresh_target, take_cookies

SETTER = "https://www.paper.example/news/a"


@pytest.mark.parametrize(
    ("line", "url", "sent"),
    [
        pytest.param("ok=1; Path=/", "https://www.paper.example/x", "ok=1", id="the same host"),
        pytest.param("ok=1; Path=/", "https://paper.example/x", "", id="another host"),
        pytest.param("ok=1; Path=/; Domain=paper.example", "https://gate.paper.example/", "ok=1", id="its domain"),
        pytest.param("ok=1; Path=/; Domain=.paper.example", "https://paper.example/", "ok=1", id="with a dot"),
        pytest.param("ok=1; Domain=other.example", "https://other.example/", "", id="the domain of others"),
        pytest.param("ok=1; Domain=example", "https://www.paper.example/news/b", "", id="a public suffix"),
        pytest.param("ok=1", "https://www.paper.example/news/b", "ok=1", id="the folder it came from"),
        pytest.param("ok=1", "https://www.paper.example/sport", "", id="another folder"),
        pytest.param("ok=1; Path=/news", "https://www.paper.example/newsletter", "", id="a name that begins alike"),
        pytest.param("ok=1; Path=/; Secure", "http://www.paper.example/", "", id="in clear"),
        pytest.param("ok=1; Path=/; Max-Age=0", "https://www.paper.example/", "", id="taken away"),
        pytest.param("nonsense", "https://www.paper.example/", "", id="no pair"),
        pytest.param("ok=a\x01b; Path=/", "https://www.paper.example/", "", id="controls"),
    ],
)
def test_a_cookie_goes_where_it_belongs(line, url, sent):
    assert cookie_header(take_cookies((), [line], SETTER), url) == sent


def test_a_cookie_replaces_the_one_of_its_name_and_others_are_added():
    first = take_cookies((), ["a=1; Path=/", "b=2; Path=/"], SETTER)
    assert cookie_header(take_cookies(first, ["a=3; Path=/"], SETTER), SETTER) == "b=2; a=3"


def test_there_are_never_more_than_a_few():
    cookies = take_cookies((), [f"c{n}=1; Path=/" for n in range(500)], SETTER)
    assert len(cookies) == 50
    assert "1" not in repr(cookies[0]).replace("c0", "")  # its value is a secret between the site and us


SITE = "https://paper.example"
URL = f"{SITE}/a/b?c=1"


@pytest.mark.parametrize(
    ("html", "target"),
    [
        pytest.param(
            '<meta http-equiv="Refresh" content="0;URL=\'/next\'">', "https://paper.example/next", id="quoted"
        ),
        pytest.param(
            "<META HTTP-EQUIV=refresh CONTENT='3; url=d'>", "https://paper.example/a/d", id="bare and relative"
        ),
        pytest.param(
            '<meta content="0;url=/n?x=1&amp;y=2" http-equiv="refresh">', "https://paper.example/n?x=1&y=2", id="order"
        ),
        pytest.param(
            '<meta http-equiv="refresh" content="0; https://other.example/">', "https://other.example/", id="no url="
        ),
        pytest.param('<meta http-equiv="refresh" content="900; url=/next">', None, id="after a quarter of an hour"),
        pytest.param('<meta http-equiv="refresh" content="0">', None, id="itself"),
        pytest.param('<meta http-equiv="refresh" content="0; url=/a/b?c=1#top">', None, id="itself by its name"),
        pytest.param('<noscript><meta http-equiv="refresh" content="0;url=/n"></noscript>', None, id="without scripts"),
        pytest.param('<!-- <meta http-equiv="refresh" content="0;url=/n"> -->', None, id="a comment"),
        pytest.param('<meta http-equiv="refresh" content="0;url=javascript:go()">', None, id="a script"),
        pytest.param('<meta name="description" content="refresh 0;url=/n">', None, id="a word"),
    ],
)
def test_where_a_page_leads(html, target):
    assert refresh_target(None, "text/html", f"<html><head>{html}</head></html>".encode(), URL) == target


def test_the_header_counts_first_and_of_other_documents_alone():
    meta = b'<meta http-equiv="refresh" content="0;url=/n">'
    assert refresh_target("1; url=/header", "text/html", meta, URL) == "https://paper.example/header"
    assert refresh_target("1; url=/header", "application/pdf", meta, URL) == "https://paper.example/header"
    assert refresh_target(None, "application/rss+xml", meta, URL) is None


@given(st.text(max_size=200), st.binary(max_size=300))
def test_anything_can_be_looked_at(refresh, body):
    refresh_target(
        refresh, "text/html", body + b"<meta http-equiv=refresh content='" + refresh.encode(errors="ignore"), URL
    )
    is_complete_document(body)


@pytest.mark.parametrize(
    ("body", "is_complete"),
    [
        (b"<html><p>All.</p></html>\n<!-- cached -->\n", True),
        (b"<rss><channel></channel></RSS >", True),
        (b'{"version": "https://jsonfeed.org/version/1.1", "items": []}', True),
        (b'{"version": "https://jsonfeed.org/version/1.1", "items": [{}', False),
        (b"<html><p>Some of </html", False),
        (b"<p>no end tag", False),
        (b"", False),
    ],
)
def test_a_document_that_ends_with_its_own_end_is_complete(body, is_complete):
    assert is_complete_document(body) is is_complete


def test_a_hundred_comments_behind_the_end_are_read_once():
    comments = b"</rss>" + b"<!---->" * 100
    assert is_complete_document(comments)
    assert not is_complete_document(comments + b"x")


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param("<meta" * 10_000, id="tags without an end"),
        pytest.param(f"<meta {'a' * 60_000}>", id="a name of an attribute"),
        pytest.param(f'<meta http-equiv="refresh" content="{"1" * 60_000}">', id="a delay"),
    ],
)
def test_a_flood_in_the_head_leads_nowhere_and_hides_nothing(flood):
    body = f"{flood}<meta http-equiv='refresh' content='0;url=/n'>"
    assert refresh_target("1" * 1_000_000, "text/html", body.encode(), URL) == "https://paper.example/n"


@pytest.mark.parametrize("age", ["--5", "-" * 13 + "5", "1" * 5_000, "-"])
def test_a_cookie_whose_age_is_no_number_is_kept(age):
    assert take_cookies((), [f"a=b; Max-Age={age[: MAX_COOKIE - 20]}"], SETTER)


def test_a_refresh_with_a_reference_of_thousands_of_digits_leads_on():
    meta = f'<meta http-equiv="refresh" content="0;url=/n?&#{"1" * 5_000};">'.encode()
    assert refresh_target(None, "text/html", meta, URL) == "https://paper.example/n?\ufffd"


@pytest.mark.parametrize("digits", ["1" * 5_000, "9" * 20, "²"])
def test_a_size_that_no_file_has_is_not_known(digits):
    assert size_of(200, digits, None, 0) is None
    assert size_of(206, "50", f"bytes 50-99/{digits}", 50) == 100
    assert begins_at(206, f"bytes {digits}-{digits}/*") is None
