"""WebSub against a full hub on loopback: subscription, pushes, renewal, expiry, denial, the end."""

import asyncio
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.model import HubSubscription, Subscription
from pipeline.store.connection.engine import open_engine, reading, write
from pipeline.store.feeds.subscriptions import add_feeds, remove_feed, set_feed_state
from pipeline.store.schema.tables import EntryRow, FeedRow, PageRow, PollRow, SubscriptionRow
from pipeline.websub import serve
from pipeline.websub.protocol import (
    LEASE,
    Intent,
    Signature,
    callback_base,
    is_wanted,
    lease_times,
    read_intent,
    request_form,
    token_of,
)
from pipeline.websub.server import MAX_HEAD_BYTES, CallbackReply, Server
from pipeline.websub.service import PUSH_PAUSE
from tests.support.hub import Hub, call
from tests.support.stories import atom, rss, title
from tests.support.subscriber import RSS, PushedNewsroom
from tests.support.web import Reply, Web, page

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOPIC = "https://news.example/feed.xml"
WANTED = HubSubscription(1, 1, "https://hub.example/", TOPIC, "tok", "key", "pending", 1)


# ---------------------------------------------------------------- the protocol, pure


@pytest.mark.parametrize(
    ("state", "intent", "wanted"),
    [
        pytest.param("pending", Intent("subscribe", TOPIC, "c"), True, id="what was asked for"),
        pytest.param("active", Intent("subscribe", TOPIC, "c"), True, id="a renewal, or a hub that asks again"),
        pytest.param("leaving", Intent("unsubscribe", TOPIC, "c"), True, id="an end that was asked for"),
        pytest.param("active", Intent("unsubscribe", TOPIC, "c"), False, id="an end that nobody asked for"),
        pytest.param("leaving", Intent("subscribe", TOPIC, "c"), False, id="a subscription that is no longer wanted"),
        pytest.param("denied", Intent("subscribe", TOPIC, "c"), False, id="nothing is pending"),
        pytest.param("pending", Intent("subscribe", TOPIC + "?", "c"), False, id="another topic"),
        pytest.param("pending", Intent("denied", TOPIC), False, id="a denial is nothing to verify"),
    ],
)
def test_only_what_was_asked_for_is_verified(state, intent, wanted):
    assert is_wanted(replace(WANTED, state=state), intent) is wanted


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("", id="nothing"),
        pytest.param("hub.mode=subscribe&hub.topic=t", id="no challenge"),
        pytest.param("hub.mode=subscribe&hub.challenge=c", id="no topic"),
        pytest.param("hub.mode=publish&hub.topic=t&hub.challenge=c", id="another mode"),
        pytest.param("hub.mode=subscribe&hub.topic=t&hub.challenge=" + "c" * 5000, id="a challenge without end"),
        pytest.param("&".join(f"a{n}=1" for n in range(60)), id="more parameters than anybody needs"),
    ],
)
def test_what_is_no_intent_is_none(query):
    assert read_intent(f"/t?{query}") is None


@pytest.mark.parametrize(
    ("seconds", "lease"),
    [
        ("3600", timedelta(hours=1)),
        ("0", timedelta(0)),
        ("-5", None),
        ("soon", None),
        ("9" * 400, None),
        ("٣", None),
    ],
)
def test_leases_are_read(seconds, lease):
    intent = read_intent(f"/t?hub.mode=subscribe&hub.topic=t&hub.challenge=c&hub.lease_seconds={seconds}")
    assert intent.lease == lease


@given(st.text(max_size=200))
@example("?hub.mode=subscribe&hub.topic=%00&hub.challenge=%ff&hub.lease_seconds=1e9")
def test_any_target_is_read_without_a_crash(target):
    intent = read_intent(target)
    assert intent is None or intent.mode in ("subscribe", "unsubscribe", "denied")
    assert "/" not in token_of(target)


@given(st.none() | st.integers(min_value=-(10**9), max_value=10**9).map(lambda n: timedelta(seconds=n)))
def test_a_lease_is_always_renewed_before_it_ends_and_never_at_once(lease):
    expires_at, renew_at = lease_times(NOW, lease)
    assert NOW + timedelta(seconds=30) < renew_at < expires_at <= NOW + timedelta(days=90)


def test_a_request_has_what_the_recommendation_asks_for():
    form = request_form(WANTED, "https://push.example/hooks").decode()
    assert form.split("&") == [
        "hub.callback=https%3A%2F%2Fpush.example%2Fhooks%2Ftok",
        "hub.mode=subscribe",
        "hub.topic=https%3A%2F%2Fnews.example%2Ffeed.xml",
        "hub.secret=key",
        f"hub.lease_seconds={int(LEASE.total_seconds())}",
    ]
    assert "secret" not in request_form(replace(WANTED, state="leaving"), "https://push.example").decode()


def signature(body, secret="key", method="sha256"):
    return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_signatures_of_all_algorithms_hold_however_the_body_is_cut(method):
    body = bytes(range(256)) * 3
    for header in (signature(body, method=method), signature(body, method=method).upper()):
        check = Signature(header, "key")
        for start in range(0, len(body), 100):
            check.update(body[start : start + 100])
        assert check.is_good


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param(signature(b"body", "another"), id="another secret"),
        pytest.param(signature(b"body "), id="another body"),
        pytest.param(signature(b"body", method="md5"), id="an algorithm that is not allowed"),
        pytest.param("sha256=", id="no digest"),
        pytest.param("sha256", id="no equals sign"),
        pytest.param(signature(b"body")[:-1], id="cut"),
        pytest.param(signature(b"body").replace("sha256", "sha1"), id="another algorithm's"),
        pytest.param("sha256=é\ud800", id="no ASCII"),
        pytest.param("new=" + "0" * 64, id="a name that hashlib knows"),
    ],
)
def test_a_bad_signature_is_bad(header):
    check = Signature(header and header.encode("utf-8", "replace").decode("latin-1"), "key")
    check.update(b"body")
    assert not check.is_good


@pytest.mark.parametrize("url", ["", "push.example", "ftp://push.example", "https://", "https://p.example/?a=1", "//x"])
def test_a_callback_base_must_be_an_address(url):
    with pytest.raises(ConfigError):
        callback_base(url)


def test_secrets_are_not_shown():
    assert "tok" not in repr(WANTED)
    assert "key" not in repr(WANTED)


# ---------------------------------------------------------------- the service against a hub


@pytest.fixture
def newsroom(database_url):
    with Web() as web, Hub() as hub, PushedNewsroom(web, hub, database_url) as newsroom:
        yield newsroom


def test_the_hub_of_the_headers_is_recorded_and_subscribed_to(newsroom):
    newsroom.subscribe(1)
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["hub_url"], feed["topic_url"]) == (newsroom.hub.url, newsroom.topic)
    row = newsroom.subscription
    assert (row["state"], row["attempts"], row["last_error"]) == ("active", 0, None)
    assert timedelta(minutes=59) < row["expires_at"] - newsroom.now() <= timedelta(hours=1)
    (asked,) = newsroom.hub.asked
    assert (asked.mode, asked.topic, asked.secret) == ("subscribe", newsroom.topic, row["secret"])
    assert asked.callback == f"{newsroom.base}/{row['token']}"
    assert asked.content_type == "application/x-www-form-urlencoded"
    assert len(row["token"]) >= 40
    assert row["token"] != row["secret"]
    newsroom(newsroom.subscriber.keep())
    assert len(newsroom.hub.asked) == 1


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_the_hub_of_the_document_is_recorded_where_no_header_names_one(newsroom, form):
    links = f'<{{0}}link rel="hub" href="{newsroom.hub.url}"/><{{0}}link rel="self" href="/self"/>'
    if form == "rss":
        body = rss({newsroom.web.url("/1"): title(1)}).replace(
            "<channel>", '<channel xmlns:a="http://www.w3.org/2005/Atom">' + links.format("a:")
        )
    else:
        body = atom({newsroom.web.url("/1"): title(1)}).replace("<title>", links.format("") + "<title>", 1)
    newsroom.web.routes["/feed.xml"] = page(body, RSS, Link='<https://api.example/>; rel="https://api.w.org/"')
    write(newsroom.engine, add_feeds, [Subscription(url=newsroom.topic)], newsroom.now(), timedelta(hours=6))
    newsroom.poll()
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["hub_url"], feed["topic_url"]) == (newsroom.hub.url, newsroom.web.url("/self"))


def test_a_feed_that_names_a_hub_but_not_itself_is_subscribed_to_by_its_address(newsroom):
    newsroom.announce(1)
    newsroom.web.routes["/feed.xml"] = page(
        rss({newsroom.web.url("/1"): title(1)}), RSS, Link=f"<{newsroom.hub.url}>; rel=hub"
    )
    write(newsroom.engine, add_feeds, [Subscription(url=newsroom.topic)], newsroom.now(), timedelta(hours=6))
    newsroom.poll()
    newsroom(newsroom.subscriber.keep())
    assert newsroom.subscription["topic_url"] == newsroom.topic


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_a_push_is_an_immediate_poll_and_the_new_entry_stands_in_the_frontier(newsroom, method):
    newsroom.subscribe(1)
    newsroom.hub.method = method
    newsroom.ahead = timedelta(minutes=1)
    body = newsroom.announce(1, 2)
    assert newsroom.hub.publish(newsroom.topic, body, RSS) == [202]
    assert newsroom.subscriber.pushed.is_set()
    newsroom(newsroom.subscriber.poll_pushed())
    assert [row["entries_new"] for row in newsroom.rows(PollRow)] == [1, 1]
    assert [row["url"] for row in newsroom.rows(PageRow)] == [newsroom.web.url("/1"), newsroom.web.url("/2")]
    assert {row["state"] for row in newsroom.rows(PageRow)} == {"queued"}
    (feed,) = newsroom.rows(FeedRow)
    assert feed["next_poll_at"] > newsroom.now()
    assert feed["lease_owner"] is None
    newsroom(newsroom.subscriber.poll_pushed())
    assert len(newsroom.rows(PollRow)) == 2  # a push is one poll
    assert newsroom.subscription["pushes"] == 1


def test_only_the_feed_that_was_pushed_is_polled(newsroom):
    newsroom.subscribe(1)
    newsroom.web.routes["/other.xml"] = page(rss({newsroom.web.url("/3"): title(3)}), RSS)
    other = newsroom.web.url("/other.xml")
    write(newsroom.engine, add_feeds, [Subscription(url=other)], newsroom.now(), timedelta(hours=6))
    newsroom.ahead = timedelta(minutes=1)
    newsroom.hub.publish(newsroom.topic, newsroom.announce(1, 2), RSS)
    newsroom(newsroom.subscriber.poll_pushed())
    assert newsroom.web.paths == ["/feed.xml", "/feed.xml"]
    assert len(newsroom.rows(EntryRow)) == 2


@pytest.mark.parametrize("secret", ["another secret", ""], ids=["with another secret", "without a signature"])
def test_a_push_that_is_not_genuine_is_answered_counted_and_ignored(newsroom, secret):
    newsroom.subscribe(1)
    newsroom.ahead = timedelta(minutes=1)
    body = newsroom.announce(1, 2)
    (agreed,) = newsroom.hub.active.values()
    with capture_logs() as logs:
        assert newsroom.hub.distribute(agreed, body, RSS, secret) == 202
    newsroom(newsroom.subscriber.poll_pushed())
    assert len(newsroom.rows(PollRow)) == 1
    row = newsroom.subscription
    assert (row["pushes"], row["pushes_refused"], row["last_push_at"]) == (0, 1, None)
    assert [line["outcome"] for line in logs] == ["bad_signature"]
    assert row["secret"] not in str(logs)
    assert row["token"] not in str(logs)


def test_a_push_during_a_poll_or_just_after_it_is_not_lost_but_waits(newsroom):
    newsroom.subscribe(1)
    newsroom.hub.publish(newsroom.topic, newsroom.announce(1, 2), RSS)
    newsroom(newsroom.subscriber.poll_pushed())
    assert len(newsroom.rows(PollRow)) == 1
    newsroom.ahead = PUSH_PAUSE
    newsroom(newsroom.subscriber.poll_pushed())
    assert [row["entries_new"] for row in newsroom.rows(PollRow)] == [1, 1]


def test_a_push_that_the_service_did_not_live_to_act_on_is_acted_on_by_an_ordinary_run(newsroom):
    newsroom.subscribe(1)
    newsroom.ahead = timedelta(minutes=1)
    newsroom.hub.publish(newsroom.topic, newsroom.announce(1, 2), RSS)
    assert newsroom.poll().entries_new == 1
    newsroom(newsroom.subscriber.poll_pushed())
    assert len(newsroom.rows(PollRow)) == 2


def test_a_push_does_not_cut_short_the_wait_that_a_failing_server_asked_for(newsroom):
    newsroom.subscribe(1)
    newsroom.web.routes["/feed.xml"] = lambda request: Reply(status=429, headers={"Retry-After": "3600"})
    newsroom.change(FeedRow, next_poll_at=newsroom.now())
    newsroom.poll()
    newsroom.ahead = timedelta(minutes=5)
    newsroom.hub.publish(newsroom.topic, b"<rss/>", RSS)
    newsroom(newsroom.subscriber.poll_pushed())
    assert len(newsroom.rows(PollRow)) == 2
    newsroom.announce(1, 2)
    newsroom.ahead = timedelta(days=1)
    newsroom(newsroom.subscriber.poll_pushed())
    assert newsroom.rows(PollRow)[-1]["entries_new"] == 1


def test_a_lease_is_renewed_before_it_ends_and_the_callback_stays(newsroom):
    newsroom.subscribe(1)
    newsroom.ahead = timedelta(minutes=44)
    newsroom(newsroom.subscriber.keep())
    assert len(newsroom.hub.asked) == 1
    newsroom.ahead = timedelta(minutes=46)
    newsroom(newsroom.subscriber.keep())
    (agreed,) = newsroom.hub.active.values()
    assert agreed.times == 2
    row = newsroom.subscription
    assert row["expires_at"] > newsroom.now() + timedelta(minutes=59)
    newsroom.ahead = timedelta(minutes=90)  # beyond the first lease
    assert newsroom.hub.publish(newsroom.topic, newsroom.announce(1, 2), RSS) == [202]


def test_a_lease_that_ran_out_is_asked_for_anew(newsroom):
    newsroom.subscribe(1)
    newsroom.hub.silent = True
    newsroom.ahead = timedelta(hours=2)
    assert newsroom.hub.publish(newsroom.topic, newsroom.announce(1, 2), RSS) == []
    newsroom(newsroom.subscriber.keep())
    row = newsroom.subscription
    assert (row["state"], row["last_error"]) == ("pending", "the lease ran out")
    newsroom.hub.silent = False
    newsroom.ahead = timedelta(hours=3)
    newsroom(newsroom.subscriber.keep())
    assert newsroom.subscription["state"] == "active"
    assert newsroom.hub.publish(newsroom.topic, newsroom.announce(1, 2), RSS) == [202]


def test_a_hub_that_does_not_verify_is_asked_again_less_and_less_often(newsroom):
    newsroom.hub.silent = True
    newsroom.subscribe(1)
    asked = []
    for minutes in range(0, 60, 5):
        newsroom.ahead = timedelta(minutes=minutes, seconds=10)
        newsroom(newsroom.subscriber.keep())
        asked.append(len(newsroom.hub.asked))
    assert asked == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4]
    assert newsroom.subscription["state"] == "pending"


def test_a_hub_that_verifies_another_topic_or_mode_gets_404(newsroom):
    newsroom.hub.lies = lambda told: told | {"topic": told["topic"] + "?x"}
    newsroom.subscribe(1)
    newsroom.hub.lies = lambda told: told | {"mode": "unsubscribe"}
    newsroom.ahead = timedelta(minutes=6)
    newsroom(newsroom.subscriber.keep())
    assert [(mode, status) for mode, status, _ in newsroom.hub.answers] == [("subscribe", 404), ("unsubscribe", 404)]
    assert newsroom.hub.active == {}
    assert newsroom.subscription["state"] == "pending"


def test_a_denial_is_recorded_with_its_reason_and_asked_about_again_after_a_week(newsroom):
    newsroom.hub.denies = "too many <feeds>\x00"
    newsroom.subscribe(1)
    row = newsroom.subscription
    assert (row["state"], row["last_error"]) == ("denied", "denied: too many <feeds>")
    newsroom.ahead = timedelta(days=6)
    newsroom(newsroom.subscriber.keep())
    assert len(newsroom.hub.asked) == 1
    newsroom.hub.denies = None
    newsroom.ahead = timedelta(days=8)
    newsroom(newsroom.subscriber.keep())
    assert newsroom.subscription["state"] == "active"


def test_a_subscription_may_be_denied_after_it_was_active(newsroom):
    newsroom.subscribe(1)
    callback = newsroom.hub.asked[0].callback
    assert call("GET", f"{callback}?hub.mode=denied&hub.topic=another")[0] == 404
    assert newsroom.subscription["state"] == "active"
    assert call("GET", f"{callback}?hub.mode=denied&hub.topic={newsroom.topic}")[0] == 200
    assert (newsroom.subscription["state"], newsroom.subscription["last_error"]) == ("denied", "denied")


@pytest.mark.parametrize(("status", "state"), [(503, "pending"), (400, "denied"), (410, "denied")])
def test_a_hub_that_refuses_is_asked_again_sooner_or_later(newsroom, status, state):
    newsroom.hub.status = status
    newsroom.subscribe(1)
    row = newsroom.subscription
    assert (row["state"], row["last_error"]) == (state, f"http_{status}: as configured")
    newsroom.hub.status = 202
    newsroom.ahead = timedelta(hours=1) if state == "pending" else timedelta(days=8)
    newsroom(newsroom.subscriber.keep())
    assert newsroom.subscription["state"] == "active"


def test_a_hub_that_has_moved_is_followed_with_the_form(newsroom):
    newsroom.hub.moved_to = "/elsewhere"
    newsroom.subscribe(1)
    assert newsroom.subscription["state"] == "active"


def test_a_hub_at_a_forbidden_address_is_never_called(newsroom):
    newsroom.web.routes["/feed.xml"] = page(
        rss({newsroom.web.url("/1"): title(1)}), RSS, Link='<http://169.254.169.254/hub>; rel="hub"'
    )
    write(newsroom.engine, add_feeds, [Subscription(url=newsroom.topic)], newsroom.now(), timedelta(hours=6))
    newsroom.poll()
    newsroom(newsroom.subscriber.keep())
    assert newsroom.subscription["last_error"].startswith("blocked_address")


@pytest.mark.parametrize(
    ("status", "moved_to", "error"),
    [
        pytest.param(204, None, None, id="an old hub's word for yes"),
        pytest.param(302, None, "http_302: as configured", id="a redirect that is not to be followed with a form"),
        pytest.param(202, "http://169.254.169.254/hub", "blocked_address", id="to a forbidden address"),
        pytest.param(202, "ftp://127.0.0.1/", "blocked_scheme", id="to no web address"),
        pytest.param(202, "http://[", "bad_url", id="to nowhere"),
    ],
)
def test_what_a_hub_answers_instead(newsroom, status, moved_to, error):
    newsroom.hub.status, newsroom.hub.moved_to, newsroom.hub.silent = status, moved_to, True
    newsroom.subscribe(1)
    told = newsroom.subscription["last_error"]
    assert told == error or told.startswith(error)


@pytest.mark.parametrize("how", ["paused", "removed", "another hub"])
def test_what_is_no_longer_wanted_is_ended_at_the_hub(newsroom, how):
    newsroom.subscribe(1)
    (before,) = newsroom.hub.active.values()
    (feed,) = newsroom.rows(FeedRow)
    if how == "paused":
        write(newsroom.engine, set_feed_state, feed["id"], "paused", newsroom.now())
    elif how == "removed":
        write(newsroom.engine, remove_feed, feed["id"])
    else:
        newsroom.change(FeedRow, topic_url="https://other.example/feed")
    newsroom(newsroom.subscriber.keep())
    assert [asked.mode for asked in newsroom.hub.asked][:2] == ["subscribe", "unsubscribe"] or how == "another hub"
    assert before not in newsroom.hub.active.values()
    left = [row["topic_url"] for row in newsroom.rows(SubscriptionRow)]
    assert left == (["https://other.example/feed"] if how == "another hub" else [])
    assert newsroom.hub.distribute(before, b"<rss/>", RSS, before.secret) == 404


def test_a_push_to_a_subscription_that_is_being_ended_gets_410(newsroom):
    newsroom.subscribe(1)
    newsroom.hub.silent = True
    write(newsroom.engine, set_feed_state, newsroom.rows(FeedRow)[0]["id"], "paused", newsroom.now())
    newsroom(newsroom.subscriber.keep())
    assert newsroom.subscription["state"] == "leaving"
    assert newsroom.hub.publish(newsroom.topic, b"<rss/>", RSS) == [410]
    assert newsroom.hub.active == {}
    for hours in range(1, 6):  # a hub that never verifies the end is not asked for ever
        newsroom.ahead = timedelta(hours=hours)
        newsroom(newsroom.subscriber.keep())
    assert newsroom.rows(SubscriptionRow) == []
    assert [asked.mode for asked in newsroom.hub.asked] == ["subscribe"] + ["unsubscribe"] * 3


def test_all_subscriptions_can_be_ended(newsroom):
    newsroom.subscribe(1)
    newsroom(newsroom.subscriber.leave())
    assert newsroom.subscriber.changed.is_set()
    assert (newsroom.hub.active, newsroom.rows(SubscriptionRow)) == ({}, [])


def test_a_feed_that_stops_announcing_a_hub_is_no_longer_subscribed_to(newsroom):
    newsroom.subscribe(1)
    newsroom.announce(1, 2, links=False)
    newsroom.change(FeedRow, next_poll_at=newsroom.now())
    newsroom.poll()
    newsroom(newsroom.subscriber.keep())
    assert newsroom.hub.active == {}


# ---------------------------------------------------------------- strangers at the door


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
def test_an_unknown_callback_is_not_found(newsroom, method):
    query = "?hub.mode=subscribe&hub.topic=t&hub.challenge=c"
    assert call(method, f"{newsroom.base}/guess{query}", b"x" if method in ("POST", "PUT") else None)[0] == 404


def test_a_known_callback_takes_only_get_and_post(newsroom):
    newsroom.subscribe(1)
    callback = newsroom.hub.asked[0].callback
    assert call("GET", callback)[0] == 404
    assert call("PUT", callback, b"x")[0] == 405
    assert call("HEAD", callback) == (405, "")


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(newsroom):
    newsroom.subscribe(1)
    callback = newsroom.hub.asked[0].callback
    assert call("POST", callback, b"x" * 100_001)[0] == 413
    assert newsroom.subscription["pushes_refused"] == 0
    chunks = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    path = callback.partition("//")[2].partition("/")[2]
    head = f"POST /{path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert raw(newsroom, head + chunks * 11 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"GET / SPDY/3\r\n\r\n", b"400", id="no HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"400", id="no host"),
        pytest.param(b"GET /" + b"a" * 2 * MAX_HEAD_BYTES, b"431", id="a head without end"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400", id="a length below nothing"),
        pytest.param(b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"400", id="bytes that no target has"),
        pytest.param(b"GET /%00%ff?%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"404", id="escapes that no token has"),
    ],
)
def test_what_is_no_proper_request_is_refused(newsroom, sent, status):
    assert raw(newsroom, sent).partition(b" ")[2].startswith(status)
    assert newsroom.errors == []


def raw(newsroom, sent):
    host, port = newsroom.base.partition("//")[2].partition("/")[0].split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_challenge_is_echoed_as_plain_text(newsroom):
    newsroom.subscribe(1)
    path = newsroom.hub.asked[0].callback.partition("//")[2].partition("/")[2]
    query = f"hub.mode=subscribe&hub.topic={newsroom.topic}&hub.challenge=%3Cscript%3E"
    answer = raw(newsroom, f"GET /{path}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: text/plain; charset=utf-8\r\n" in answer.lower()
    assert b"x-content-type-options: nosniff\r\n" in answer.lower()
    assert answer.endswith(b"\r\n\r\n<script>")


def test_a_fault_of_ours_is_a_500_so_that_the_hub_tries_again(newsroom):
    newsroom.subscribe(1)
    with newsroom.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE subscription RENAME TO away"))
    assert newsroom.hub.publish(newsroom.topic, b"<rss/>", RSS) == [500]
    assert len(newsroom.errors) == 1


def test_more_connections_than_the_limit_are_turned_away():
    async def scenario():
        never = asyncio.Event()

        async def answer(call):
            await never.wait()
            return CallbackReply(200)

        server = Server(answer, 100, lambda error: None)
        port = await server.listen("127.0.0.1", 0)
        request = b"GET /t HTTP/1.1\r\nHost: x\r\n\r\n"
        held = []
        for _ in range(100):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            held.append((reader, writer))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        turned_away = await reader.read()
        never.set()
        served = [await held_reader.read() for held_reader, _ in held]
        await server.close()
        return turned_away, served

    turned_away, served = asyncio.run(scenario())
    assert turned_away.startswith(b"HTTP/1.1 503 ")
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in served)


# ---------------------------------------------------------------- the command


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("unsubscribe", [False, True], ids=["the subscription stays", "the subscription is ended"])
def test_the_service_as_a_process(sqlite_url, unsubscribe):
    polled = threading.Semaphore(0)
    with Web() as web, Hub() as hub:

        def feed(request):
            polled.release()
            body = rss({web.url(f"/{number}"): title(number) for number in (1, 2)[: len(web.requests)]})
            return Reply(body=body.encode(), headers={"Content-Type": RSS, "Link": f"<{hub.url}>; rel=hub"})

        web.routes["/feed.xml"] = feed
        port = free_port()
        env = os.environ | {
            "NEWS_DATABASE_URL": sqlite_url,
            "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
            "NEWS_HOST_DELAY": "0",
            "NEWS_JOBS": "1",
            "NEWS_WEBSUB_CALLBACK": f"http://127.0.0.1:{port}/hooks/",
        }
        news = [sys.executable, "-m", "pipeline"]

        def tell(*words):
            return subprocess.run([*news, *words], env=env, capture_output=True, text=True, check=True).stdout

        tell("feeds", "add", "--no-check", web.url("/feed.xml"))
        tell("poll")
        assert polled.acquire(timeout=60)
        engine = open_engine(sqlite_url)
        with engine.begin() as connection:  # or the push would have to wait for its pause
            connection.execute(sa.update(FeedRow).values(last_polled_at=NOW - timedelta(days=999)))
        service = subprocess.Popen(
            [*news, "websub", "serve", "--port", str(port), *(["--unsubscribe"] if unsubscribe else [])],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            hub.wait_for(lambda hub: len(hub.active) == 1)
            assert hub.publish(web.url("/feed.xml"), b"anything", RSS) == [202]
            assert polled.acquire(timeout=60)
            told = [service.stdout.readline() for _ in range(2)]
            assert f"listening on 127.0.0.1:{port} " in told[0]
            assert told[1] == f"read: {web.url('/feed.xml')}, 1 new entries\n"
            (row,) = json.loads(tell("websub", "status", "--json"))
            assert (row["state"], row["pushes"], row["feed"]) == ("active", 1, web.url("/feed.xml"))
            assert not {"token", "secret"} & row.keys()
            assert "active" in tell("websub", "status")
        finally:
            service.send_signal(signal.SIGTERM)
            service.communicate(timeout=60)
        hub.settle()
        assert service.returncode == 0
        assert len(hub.active) == (0 if unsubscribe else 1)
        with reading(engine) as connection:
            urls = connection.scalars(sa.select(PageRow.url).order_by(PageRow.id)).all()
        engine.dispose()
        assert urls == [web.url("/1"), web.url("/2")]


@pytest.mark.postgres
def test_the_service_goes_on_when_the_database_comes_back(postgres_url):
    name, port, engine = sa.make_url(postgres_url).database, free_port(), open_engine(postgres_url)
    server = sa.create_engine(sa.make_url(postgres_url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    cut = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    env = os.environ | {
        "NEWS_DATABASE_URL": postgres_url,
        "NEWS_DATABASE_PATIENCE": "0.5",
        "NEWS_ALLOW_NETWORKS": "127.0.0.0/8",
        "NEWS_JOBS": "1",
        "NEWS_WEBSUB_CALLBACK": f"http://127.0.0.1:{port}/hooks/",
    }
    with Hub() as hub, server.connect() as connection:

        def announce(number):
            write(engine, add_feeds, [Subscription(url=f"{TOPIC}?{number}")], NOW, timedelta(hours=6))
            with engine.begin() as rows:
                rows.execute(sa.update(FeedRow).values(hub_url=hub.url))

        def go_away():  # while the service waits for the hub's answer, which it has to write down
            announce(2)
            engine.dispose()
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            connection.execute(cut, {"name": name})

        announce(1)
        hub.status, hub.at_request = 503, go_away
        command = [sys.executable, "-m", "pipeline", "websub", "serve", "--port", str(port)]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as service:
            try:
                assert any("outcome=away" in line for line in service.stderr)
                assert call("GET", f"http://127.0.0.1:{port}/hooks/any")[0] == 500  # so that the hub tries again
                hub.status, hub.at_request = 202, lambda: None
                connection.exec_driver_sql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
                hub.wait_for(lambda hub: [topic for topic, _ in hub.active] == [f"{TOPIC}?2"])
            finally:
                service.send_signal(signal.SIGTERM)
                service.communicate()
        assert service.returncode == 0
    engine.dispose()
    server.dispose()


def test_an_address_that_cannot_be_served_on_is_an_error_of_the_user(sqlite_url):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="cannot listen"):
        serve(Settings(database_url=sqlite_url, jobs=1), "https://p.example", "127.0.0.1", taken.getsockname()[1])
