"""``news feeds set``, and the options with which `news feeds add` and it say what a feed is asked with."""

import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import click

from pipeline.access import AccessChange, described
from pipeline.cli.output import json_option, print_counts, print_json
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.store.access import change_access
from pipeline.store.engine import open_engine, reading, write
from pipeline.store.feeds import find_feed
from pipeline.store.migrate import require_current

F = TypeVar("F", bound=Callable[..., Any])

FROM_ENVIRONMENT = "env:"
"""Before the name of a variable of the environment, in place of a value: the shell's history keeps what is typed."""

_OPTIONS = (
    click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Request header."),
    click.option("--cookie", "cookies", multiple=True, metavar="NAME=VALUE", help="Cookie; or several: 'a=1; b=2'."),
    click.option("--user-agent", metavar="TEXT", help="Sent in place of NEWS_USER_AGENT."),
    click.option("--auth", metavar="USER:PASSWORD", help="Basic authentication."),
    click.option(
        "--pages/--feed-only",
        default=None,
        help="Send these for pages of the feed's own scheme, host and port too, or for the feed alone (the default).",
    ),
)


def access_options(function: F) -> F:
    """The options that say what a feed is asked with; `read_change` takes them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_change(
    headers: Sequence[str],
    cookies: Sequence[str],
    user_agent: str | None,
    auth: str | None,
    pages: bool | None,
) -> AccessChange:
    """What the options ask for, with the secrets that they leave out asked for or read from the environment.

    Raises:
        ConfigError: something is missing, or has no form.
    """
    said = dict(_pair(text, ":", "header") for text in headers)
    parts = [part for text in cookies for part in text.split(";") if part.strip()]
    kept = dict(_pair(part, "=", "cookie") for part in parts)
    values: dict[str, str | None] = {}
    if user_agent is not None:
        values["user_agent"] = _secret(user_agent, "user agent")
    if auth is not None and auth.startswith(FROM_ENVIRONMENT):
        values["auth"] = _secret(auth, "user with the password")
    elif auth is not None:
        user, colon, password = auth.partition(":")
        values["auth"] = f"{user}:{_secret(password if colon else None, f'password of {user}')}"
    return AccessChange(headers={**said}, cookies={**kept}, values=values, pages=pages)


def _pair(text: str, separator: str, kind: str) -> tuple[str, str]:
    name, found, value = text.partition(separator)
    return name.strip(), _secret(value.strip() if found else None, f"{kind} {name.strip()}")


def _secret(given: str | None, what: str) -> str:
    """The secret as given; from the environment where its variable is named, and from the user where there is none."""
    if given is None:
        if sys.stdin.isatty():
            return str(click.prompt(f"Value of the {what}", hide_input=True))
        line = sys.stdin.readline()
        if not line:
            raise ConfigError(f"the {what} has no value: give it on standard input, or in the option")
        return line.rstrip("\r\n")
    if not given.startswith(FROM_ENVIRONMENT):
        return given
    name = given.removeprefix(FROM_ENVIRONMENT)
    value = os.environ.get(name)
    if not value:
        raise ConfigError(f"the {what} is to come from the environment, where {name} is not set")
    return value


def without_password(url: str) -> tuple[str, str | None]:
    """The address without user and password, and these as ``user:password``, percent-decoded; None where there is none.

    An address is logged, listed and exported: what is secret has no place in it.

    >>> without_password("https://ann:b%40c@news.example/feed")
    ('https://news.example/feed', 'ann:b@c')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, None
    user, at, host = parts.netloc.rpartition("@")
    if not at or parts.scheme not in ("http", "https"):
        return url, None
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=host)), f"{unquote(name)}:{unquote(password)}"


@click.command("set")
@click.argument("names", metavar="FEED...", nargs=-1, required=True)
@access_options
@click.option("--no-header", "dropped_headers", multiple=True, metavar="NAME", help="Send this header no more.")
@click.option("--no-cookie", "dropped_cookies", multiple=True, metavar="NAME", help="Send this cookie no more.")
@click.option("--no-user-agent", is_flag=True, help="Send our own user agent again.")
@click.option("--no-auth", is_flag=True, help="Send no password any more.")
@click.option("--clear", is_flag=True, help="Forget all that was set before; what else is given is set after that.")
@json_option
@click.pass_obj
def set_(
    settings: Settings,
    /,
    names: tuple[str, ...],
    dropped_headers: tuple[str, ...],
    dropped_cookies: tuple[str, ...],
    no_user_agent: bool,
    no_auth: bool,
    clear: bool,
    as_json: bool,
    **given: Any,  # noqa: ANN401  # the options of access_options
) -> None:
    """Say what these feeds are asked with: headers, cookies, a user agent, a password. They are due at once then.

    A value that is left out is asked for, or read from standard input; env:NAME takes it from the environment. So it
    does not stand in the shell's history. It stands in the database in clear, is shown nowhere, and is sent to the
    feed's own scheme, host and port alone, whatever redirects say.

    \b
    Examples:
      news feeds set 3 --auth reader                          asks for the password
      news feeds set 3 --header 'X-Api-Key: env:PAPER_KEY'    takes it from the environment
      news feeds set 3 --cookie session --pages < session.txt
      news feeds set 3 --no-cookie session --no-auth
      news feeds set 3 --clear
    """
    change = read_change(**given)
    dropped = [name for name, flag in (("user_agent", no_user_agent), ("auth", no_auth)) if flag]
    change = AccessChange(
        headers={**dict.fromkeys(dropped_headers), **change.headers},
        cookies={**dict.fromkeys(dropped_cookies), **change.cookies},
        values={**dict.fromkeys(dropped), **change.values},
        pages=change.pages,
        clear=clear,
    )
    if change.is_none:
        raise ConfigError("nothing to set: give --header, --cookie, --user-agent, --auth, or a way to take them away")
    engine = open_engine(settings.database_url)
    require_current(engine)
    with reading(engine) as connection:
        ids = [find_feed(connection, name) for name in names]
    shown = {feed_id: described(write(engine, change_access, feed_id, change, datetime.now(UTC))) for feed_id in ids}
    if as_json:
        print_json([{"id": feed_id, "access": access} for feed_id, access in shown.items()])
        return
    for feed_id, access in shown.items():
        print_counts(f"feed {feed_id}", {name: value for name, value in (access or {}).items() if value})
