"""What changes subscriptions: feeds found, added, taken from a list, paused, polled now, edited, removed."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.engine import Connection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.discover.first_look import is_no_feed, outlook_of
from pipeline.discover.site_feeds import discover_feeds_of
from pipeline.errors import ConfigError, FetchError
from pipeline.model import Subscription
from pipeline.parse.opml import read_subscriptions
from pipeline.store.connection.engine import write
from pipeline.store.feeds.new_feeds import subscribe_to
from pipeline.store.feeds.subscriptions import edit_feed, find_feed, make_feed_due, remove_feed, set_feed_state
from pipeline.web.actions import Done, act
from pipeline.web.rendering import render
from pipeline.web.web_context import get_context

SEARCH: Final = timedelta(seconds=60)
"""How long a site is searched for feeds while its reader waits."""

SEARCHES: Final = threading.BoundedSemaphore(4)
"""At once: each has a thread of those that pages are made in, and a process."""


def discover(request: Request, form: FormData) -> Response:
    """The feeds of a site, each with what it brings, to choose from; an address that does not answer, to add unread."""
    url = str(form.get("url", "")).strip()
    if not url:
        raise ConfigError("give the address of a feed, or of a page of its site")
    if not SEARCHES.acquire(blocking=False):
        raise ConfigError("other sites are being searched just now: try again in a minute")
    candidates, trouble = [], None
    try:
        candidates = discover_feeds_of(get_context(request).settings, url, SEARCH)
    except FetchError as error:
        if is_no_feed(error) or "://" not in url:
            raise
        trouble = f"{error} ({outlook_of(error)})"
    finally:
        SEARCHES.release()
    status = 200 if trouble is None else 400
    return render(request, "candidates.html", status=status, url=url, candidates=candidates, trouble=trouble)


def subscribe_chosen(request: Request, form: FormData) -> Done:
    """Subscribe to the feeds that were chosen."""
    tags = _tags(form)
    wanted = [Subscription(url=str(url).strip(), tags=tags) for url in form.getlist("url") if str(url).strip()]
    return _subscribe(request, wanted)


def import_list(request: Request, form: FormData) -> Done:
    """Subscribe to the feeds of a file: OPML, or an address a line."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise ConfigError("choose a file: OPML, or an address a line")
    listed = read_subscriptions(file.file.read(), "the file")
    done = _subscribe(request, listed.feeds)
    left_out = f" Left out: {', '.join(listed.unusable[:5])}." if listed.unusable else ""
    flaw = f" The file is malformed, and may have more: {listed.flaw}" if listed.flaw else ""
    return Done(done.path, f"{done.message}{left_out}{flaw}"[:1000])


def _subscribe(request: Request, wanted: list[Subscription]) -> Done:
    context = get_context(request)
    if not wanted:
        raise ConfigError("no feed was chosen")
    added, known = subscribe_to(context.engine, wanted, context.settings.poll_interval)
    return Done("/feeds?sort=-next_poll_at", f"{added} feeds added, {known} were there already.")


def _pause(connection: Connection, feed_id: int, _form: FormData) -> str:
    set_feed_state(connection, feed_id, "paused", datetime.now(UTC))
    return "Paused: it is polled no more until it is resumed."


def _resume(connection: Connection, feed_id: int, _form: FormData) -> str:
    set_feed_state(connection, feed_id, "active", datetime.now(UTC))
    return "Resumed, and due at once."


def _poll(connection: Connection, feed_id: int, _form: FormData) -> str:
    make_feed_due(connection, feed_id, datetime.now(UTC))
    return "It is due: the next run polls it, or `news watch` where that goes on."


def _edit(connection: Connection, feed_id: int, form: FormData) -> str:
    edit_feed(connection, feed_id, str(form.get("title", "")).strip(), _tags(form))
    return "Saved."


def _remove(connection: Connection, feed_id: int, form: FormData) -> str:
    if form.get("sure") != "yes":
        raise ConfigError("say that you are sure: its polls and entries go with it")
    remove_feed(connection, feed_id)
    return "Removed, with its polls and entries; pages and articles stay."


def _of_feed(change: Callable[[Connection, int, FormData], str], *, leads_to: str = "/feeds/{}") -> Route:
    """The action of one feed, in a transaction of its own, at the path of its name."""

    def action(request: Request, form: FormData) -> Done:
        name = str(request.path_params["feed_id"])

        def both(connection: Connection) -> tuple[int, str]:
            feed_id = find_feed(connection, name)
            return feed_id, change(connection, feed_id, form)

        feed_id, message = write(get_context(request).engine, both)
        return Done(leads_to.format(feed_id), message)

    return Route(f"/feeds/{{feed_id:int}}/{change.__name__.strip('_')}", act(action), methods=["POST"])


def _tags(form: FormData) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in str(form.get("tags", "")).split(";") if tag.strip()))


ROUTES = (
    Route("/feeds/discover", act(discover), methods=["POST"]),
    Route("/feeds/subscribe", act(subscribe_chosen), methods=["POST"]),
    Route("/feeds/import", act(import_list), methods=["POST"]),
    *(_of_feed(change) for change in (_pause, _resume, _poll, _edit)),
    _of_feed(_remove, leads_to="/feeds"),
)
