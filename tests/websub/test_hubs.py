"""Feeds that announce several hubs: all are recorded, and asked one after the other until one agrees."""

import socket
from datetime import timedelta

import pytest

from pipeline.model import Subscription
from pipeline.parse import parse_feed
from pipeline.store.connection.engine import write
from pipeline.store.feeds.polls import MAX_HUBS
from pipeline.store.feeds.subscriptions import add_feeds
from pipeline.store.schema.tables import FeedRow, PollRow, SubscriptionRow
from tests.support.hub import Hub
from tests.support.stories import rss, title
from tests.support.subscriber import RSS, PushedNewsroom
from tests.support.web import Web, page


@pytest.fixture
def newsroom(database_url):
    with Web() as web, Hub() as first, Hub() as second, PushedNewsroom(web, first, database_url) as newsroom:
        newsroom.second = second
        yield newsroom


@pytest.fixture
def nobody():
    """An address of loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


def subscribe(newsroom, *hubs):
    links = ", ".join(f'<{hub}>; rel="hub"' for hub in hubs)
    body = rss({newsroom.web.url("/1"): title(1)})
    newsroom.web.routes["/feed.xml"] = page(body, RSS, Link=f'{links}, <{newsroom.topic}>; rel="self"')
    write(newsroom.engine, add_feeds, [Subscription(url=newsroom.topic)], newsroom.now(), timedelta(hours=6))
    newsroom.poll()
    keep(newsroom)


def keep(newsroom):
    newsroom(newsroom.subscriber.keep())
    newsroom.second.settle()


def state(newsroom):
    row = newsroom.subscription
    return row["hub_url"], row["state"]


def test_all_hubs_are_recorded_in_order_and_the_first_is_asked(newsroom):
    subscribe(newsroom, newsroom.hub.url, newsroom.second.url, newsroom.hub.url)
    (feed,) = newsroom.rows(FeedRow)
    assert (feed["hub_url"], feed["further_hubs"]) == (newsroom.hub.url, [newsroom.second.url])
    assert state(newsroom) == (newsroom.hub.url, "active")
    assert not newsroom.second.asked


def test_no_more_hubs_are_recorded_than_anybody_needs(newsroom):
    subscribe(newsroom, *(f"https://hub{number}.example/" for number in range(9)))
    (feed,) = newsroom.rows(FeedRow)
    assert len(feed["further_hubs"]) == MAX_HUBS - 1


@pytest.mark.parametrize(
    "refuse",
    [
        pytest.param(lambda hub: setattr(hub, "denies", "members only"), id="denies after it accepted"),
        pytest.param(lambda hub: setattr(hub, "status", 403), id="refuses at once"),
        pytest.param(lambda hub: setattr(hub, "status", 500), id="is broken"),
    ],
)
def test_where_the_first_hub_does_not_agree_the_next_one_is_asked(newsroom, refuse):
    refuse(newsroom.hub)
    subscribe(newsroom, newsroom.hub.url, newsroom.second.url)
    keep(newsroom)
    assert state(newsroom) == (newsroom.second.url, "active")
    (one,), (other,) = newsroom.hub.asked, newsroom.second.asked
    assert one.secret != other.secret
    assert one.callback != other.callback
    keep(newsroom)
    assert (len(newsroom.hub.asked), len(newsroom.second.asked)) == (1, 1)


def test_a_hub_that_is_not_there_falls_to_the_next_whose_pushes_count(newsroom, nobody):
    subscribe(newsroom, nobody, newsroom.second.url)
    keep(newsroom)
    assert state(newsroom) == (newsroom.second.url, "active")
    newsroom.ahead = timedelta(minutes=1)
    body = rss({newsroom.web.url(f"/{number}"): title(number) for number in (1, 2)})
    newsroom.web.routes["/feed.xml"] = page(body, RSS, Link=newsroom.web.routes["/feed.xml"](None).headers["Link"])
    assert newsroom.second.publish(newsroom.topic, body.encode(), RSS) == [202]
    newsroom(newsroom.subscriber.poll_pushed())
    assert [row["entries_new"] for row in newsroom.rows(PollRow)] == [1, 1]
    assert state(newsroom) == (newsroom.second.url, "active")


def test_a_hub_that_accepts_and_never_verifies_is_left_for_the_next(newsroom):
    newsroom.hub.silent = True
    subscribe(newsroom, newsroom.hub.url, newsroom.second.url)
    keep(newsroom)
    assert state(newsroom) == (newsroom.hub.url, "pending")  # it has some minutes for it
    newsroom.ahead = timedelta(minutes=6)
    keep(newsroom)
    assert state(newsroom) == (newsroom.second.url, "active")


def test_after_the_last_hub_there_is_a_pause_and_then_the_first_is_asked_again(newsroom):
    newsroom.hub.status = newsroom.second.status = 500
    subscribe(newsroom, newsroom.hub.url, newsroom.second.url)
    for _ in range(3):
        keep(newsroom)
    assert (len(newsroom.hub.asked), len(newsroom.second.asked)) == (1, 1)
    newsroom.hub.status = 202
    newsroom.ahead = timedelta(minutes=11)
    keep(newsroom)
    assert state(newsroom) == (newsroom.hub.url, "active")


def test_a_hub_that_cannot_renew_now_keeps_the_subscription_while_the_lease_lasts(newsroom):
    subscribe(newsroom, newsroom.hub.url, newsroom.second.url)
    newsroom.hub.status = 500
    newsroom.ahead = timedelta(minutes=50)
    keep(newsroom)
    keep(newsroom)
    assert state(newsroom) == (newsroom.hub.url, "active")
    assert not newsroom.second.asked
    newsroom.ahead = timedelta(minutes=61)
    keep(newsroom)
    assert state(newsroom) == (newsroom.second.url, "active")


def test_a_hub_that_is_announced_no_more_is_left_for_those_that_are(newsroom):
    subscribe(newsroom, newsroom.hub.url, newsroom.second.url)
    newsroom.change(FeedRow, hub_url=newsroom.second.url, further_hubs=[newsroom.hub.url])
    keep(newsroom)
    assert state(newsroom) == (newsroom.hub.url, "active")  # another order is no reason
    newsroom.change(FeedRow, further_hubs=[])
    keep(newsroom)
    newsroom.hub.settle()
    assert not newsroom.hub.active
    assert state(newsroom) == (newsroom.second.url, "active")
    assert len(newsroom.rows(SubscriptionRow)) == 1


@pytest.mark.parametrize("form", ["rss", "atom", "json"])
def test_documents_announce_several_hubs_too(form):
    hubs = ["https://one.example/", "https://two.example/"]
    atom = "".join(f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="hub" href="{hub}"/>' for hub in hubs)
    document = {
        "rss": f"<rss version='2.0'><channel><title>T</title>{atom}<item><guid>1</guid></item></channel></rss>",
        "atom": f"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>{atom}<entry><id>1</id></entry></feed>",
        "json": '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1"}], "hubs": ['
        '{"type": "rssCloud", "url": "https://no.example/"}, {"type": "WebSub", "url": "https://one.example/"},'
        ' {"type": "WebSub"}, 7, {"type": "WebSub", "url": "https://two.example/"}]}',
    }
    assert parse_feed(document[form].encode(), "https://news.example/feed").hub_urls == tuple(hubs)
