"""``news check``: the health of the archive, for monitors."""

from dataclasses import asdict
from datetime import UTC, datetime

import click
from sqlalchemy.exc import SQLAlchemyError

from pipeline.cli.options import json_option
from pipeline.cli.output import print_json, print_line
from pipeline.config import Settings
from pipeline.errors import NewsError
from pipeline.store.connection.engine import open_archive
from pipeline.upkeep.health_checks import HealthCheck, check_health

_CODES = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}
"""Exit codes, as monitors of the Nagios family read them."""


@click.command()
@json_option
@click.pass_obj
def check_command(settings: Settings, as_json: bool) -> None:
    """Say whether the archive is well, in the form that Nagios, Icinga and their kin read.

    The first line is the verdict, one line for each check follows, with its number and limits behind a bar. Limits are
    settings, NEWS_CHECK_…: where a warning begins, and where it is critical (docs/checks.md).

    Exit codes: 0 all is well; 1 a warning; 2 critical; 3 it could not be found out.

    \b
    Examples:
      news check
      NEWS_CHECK_LAST_RUN=900,3600 news check
      news check --json | jq -r '.checks[] | select(.level != "ok") | .message'
    """
    try:
        with open_archive(settings) as engine:
            checks = check_health(engine, settings, datetime.now(UTC))
    except (NewsError, SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).strip()
        if as_json:
            print_json({"level": "unknown", "error": reason, "checks": []})
        else:
            print_line(f"NEWS UNKNOWN - {' '.join(reason.splitlines())}")
        raise click.exceptions.Exit(_CODES["unknown"]) from error
    level = max((check.level for check in checks), key=_CODES.__getitem__)
    if as_json:
        print_json({"level": level, "checks": [asdict(check) for check in checks]})
    else:
        print_line(f"NEWS {level.upper()} - {_summary(checks)}")
        for check in checks:
            print_line(f"{check.level.upper()} {check.name}: {check.message.replace('|', '¦')}{_performance(check)}")
    raise click.exceptions.Exit(_CODES[level])


def _summary(checks: list[HealthCheck]) -> str:
    bad = [check for check in checks if check.level != "ok"]
    if not bad:
        return f"all {len(checks)} checks are well"
    worst = max(bad, key=lambda check: _CODES[check.level])
    return f"{len(bad)} of {len(checks)} checks are not well; {worst.name}: {worst.message}"


def _performance(check: HealthCheck) -> str:
    """Format the performance data of a Nagios plug-in: value and limits; ``N:`` is a lower limit."""
    if check.value is None:
        return ""
    colon = ":" if check.name == "disk" else ""
    warning, critical = check.limits
    return f" | {check.name}={check.value:.10g};{warning:.10g}{colon};{critical:.10g}{colon}"
