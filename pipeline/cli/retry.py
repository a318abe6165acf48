"""``news retry``, and what ``news status --why`` says: failures by reason, and what can be done about each."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from pipeline.cli.output import json_option, print_json, print_table
from pipeline.config import Settings
from pipeline.store.engine import open_engine, reading, write
from pipeline.store.frontier import Failures, count_failures, retry_pages
from pipeline.store.migrate import require_current
from pipeline.tables import PAGE_STATES

_LATER = "is tried again by itself; `news retry` tries at once"
_RETRY = "`news retry` once the site answers again"
_ADVICE: Mapping[str, str] = {
    "robots": "the site forbids it to programs: ask its owner, or do without",
    "redirect": "waits for its turn at the host that it leads to",
    "robots_unreachable": "nothing is fetched while robots.txt cannot be had; `news retry` once the site answers again",
    "bot_wall": "keeps programs out: set NEWS_CONTACT, raise NEWS_HOST_DELAY, ask its owner, then `news retry`",
    "consent": "the site asks for consent first: look for a feed with full text",
    "login": "only for readers with an account: look for a feed with full text",
    "script_shell": "has no text without running its scripts: look for a feed with full text",
    "soft_404": "says that it is not there: nothing, or `news retry` if it was published late",
    "list": "a list of teasers, no article: check the feed, which announces it as one",
    "front_page": "leads to the front page, as pages do that were taken down: nothing",
    "no_text": "`news explain URL` shows what was found in it",
    "too_short": "`news explain URL` shows what was found in it",
    "pdf": "a PDF, which is not read: nothing",
    "content_type": "no HTML: check what the feed announces",
    "opt_out": "reserves its rights, and NEWS_RESPECT_OPT_OUT says to respect that",
    "not_modified": "holds no article, and has not changed since: nothing",
    "truncated": _RETRY,
    "empty": _RETRY,
    "worker_died": "kills its readers or fills their memory: `news explain URL` alone, on a machine with room",
    "crashed": "kills its readers or fills their memory: `news explain URL` alone, on a machine with room",
    "too_slow": "takes too long to read: raise NEWS_EXTRACT_TIMEOUT, then `news retry`",
    "too_large": "raise NEWS_MAX_BYTES, then `news retry`",
    "unparsable": "`news explain URL` shows where reading it ends",
    "reader_error": "a fault of this program: `news explain URL` shows it; `news retry` after an update",
    "dns": "its host has no address: check the URL, or `news retry` later",
    "connect": _RETRY,
    "proxy": "the proxy of NEWS_PROXY is out of reach or refuses: mend that, then `news retry`",
    "tls": "its certificate or encryption cannot be trusted: ask its owner, or `news retry` later",
    "timeout": "raise NEWS_TIMEOUT, or `news retry` later",
    "deadline": "raise NEWS_DEADLINE, or `news retry` later",
    "reset": _RETRY,
    "protocol": _RETRY,
    "bad_encoding": _RETRY,
    "blocked_address": "in a network that must not be fetched from; NEWS_ALLOW_NETWORKS allows some",
    "redirect_loop": "leads back to itself: nothing, or `news retry` later",
    "bad_range": "the rest of a file was not given: goes on there by itself",
    "bad_redirect": "leads nowhere: nothing, or `news retry` later",
    "too_many_redirects": "raise NEWS_MAX_REDIRECTS, then `news retry`",
    "http_401": "only for readers with an account: look for a feed with full text",
    "http_402": "only for those who pay: look for a feed with full text",
    "http_403": "refused: set NEWS_CONTACT, raise NEWS_HOST_DELAY, ask its owner, then `news retry`",
    "http_404": "not there: nothing, or `news retry` if it was published late",
    "http_410": "taken down for good: nothing",
    "http_429": "asked too often: raise NEWS_HOST_DELAY, then `news retry`",
    "http_451": "withheld for legal reasons: nothing",
}
_FAMILIES = (
    (re.compile(r"http_5\d\d"), _RETRY),
    (re.compile(r"http_\d+"), "refused by the server: check the URL, or `news retry` later"),
    (re.compile(r"blocked_|bad_url"), "an address that is never fetched: check what the feed announces"),
)


def what_to_do(state: str, reason: str | None) -> str:
    """What a user can do about pages in this state for this reason; empty where nothing is wrong."""
    if reason is None:
        return ""
    family = next((advice for pattern, advice in _FAMILIES if pattern.match(reason)), "`news show URL` says more")
    advice = _ADVICE.get(reason, family)
    return f"{_LATER}; else: {advice}" if state == "queued" else advice


def print_reasons(rows: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print every state and reason there is, with how many pages have it, what to do, and one of them."""
    told = [dict(row) | {"what_to_do": what_to_do(row["state"], row["reason"])} for row in rows]
    if as_json:
        print_json(told)
        return
    names = ("pages", "state", "reason", "what_to_do", "example")
    print_table([name.replace("_", " ") for name in names], ([row[name] for name in names] for row in told))


@click.command()
@click.option("--reason", required=True, help="The reason, as `news status --why` names it.")
@click.option(
    "--state", type=click.Choice([name for name in PAGE_STATES if name != "alias"]), help="Only in this state."
)
@click.option("--site", help="Only pages of this host and those below it.")
@click.option("--limit", type=click.IntRange(min=1), help="No more than this, those seen first.")
@click.option("--dry-run", is_flag=True, help="Say how many pages it would be, and change nothing.")
@json_option
@click.pass_obj
def retry(
    settings: Settings,
    reason: str,
    state: str | None,
    site: str | None,
    limit: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put pages that failed for a reason back into the frontier: due now, as if never tried.

    They are fetched by the next `news crawl`, `news ingest` or run of the DAG. Articles that are stored stay.

    \b
    Examples:
      news status --why
      news retry --reason http_503 --dry-run
      news retry --reason bot_wall --state failed --site example.org --limit 100
    """
    engine = open_engine(settings.database_url)
    require_current(engine)
    failures = Failures(reason=reason, state=state, site=site, limit=limit)
    now = datetime.now(UTC)
    if dry_run:
        with reading(engine) as connection:
            pages = count_failures(connection, failures, now)
    else:
        pages = write(engine, retry_pages, failures, now)
    if as_json:
        print_json({"pages": pages, "dry_run": dry_run})
    elif not pages:
        click.echo("no such pages; `news status --why` lists the reasons there are")
    else:
        click.echo(
            f"{pages} pages would be put back" if dry_run else f"{pages} pages put back; `news crawl` fetches them"
        )
