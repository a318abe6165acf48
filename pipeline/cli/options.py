"""Options and value types shared by several commands."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from pipeline.errors import ConfigError
from pipeline.periods import Period, read_period

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """The option ``--json``, the same for all commands that have it."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(function)


def parse_period(since: str | None, until: str | None) -> Period:
    """Return the period that ``--since`` and ``--until`` give.

    Raises ConfigError: one of them is no time, or they are the wrong way round.
    """
    try:
        return read_period(since, until)
    except ValueError as error:
        raise ConfigError(f"--since and --until: {error}") from error


class Duration(click.ParamType[timedelta]):
    """A time such as ``90d``, ``12h``, ``30m`` or ``45s``."""

    name = "duration"
    _units = {"d": 86400, "h": 3600, "m": 60, "s": 1}  # noqa: RUF012

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401
        """Read it."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,6})([dhms])", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no duration: a number and d, h, m or s, such as 90d", param, ctx)
        return timedelta(seconds=int(match[1]) * self._units[match[2]])


class Day(click.ParamType[datetime]):
    """A time in ISO form; a day alone begins at midnight UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        """Read it."""
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time in ISO form, such as 2026-11-22 or 2026-11-22T08:00", param, ctx)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
