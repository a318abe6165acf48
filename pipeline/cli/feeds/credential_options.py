"""The options of ``news feeds add`` and ``set`` that say what a feed is asked with: headers, cookies, a password."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from pipeline.errors import ConfigError
from pipeline.http.credentials import CredentialsChange
from pipeline.text.control_characters import show_controls

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
    """Add the options for credentials to a command; `read_change` reads them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_change(
    headers: Sequence[str],
    cookies: Sequence[str],
    user_agent: str | None,
    auth: str | None,
    pages: bool | None,
) -> CredentialsChange:
    """Read the change that the options ask for; missing secrets are prompted for, or read from the environment.

    Raises ConfigError: something is missing, or has no form.
    """
    sent = dict(_pair(text, ":", "header") for text in headers)
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
    return CredentialsChange(headers={**sent}, cookies={**kept}, values=values, pages=pages)


def _pair(text: str, separator: str, kind: str) -> tuple[str, str]:
    name, is_given, value = text.partition(separator)
    return name.strip(), _secret(value.strip() if is_given else None, f"{kind} {name.strip()}")


def _secret(given: str | None, what: str) -> str:
    """Return the secret: as given, from the variable that it names, or prompted for if it was left out."""
    if given is None:
        if sys.stdin.isatty():
            return str(click.prompt(show_controls(f"Value of the {what}"), hide_input=True))
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
