"""``news ingest``, ``news poll``, ``news crawl``: the main job, once."""

import click

from pipeline.cli.output import RunProgress, json_option, print_counts, print_json
from pipeline.config import Settings
from pipeline.ingest import Totals, plan, run


def _work(settings: Settings, kinds: frozenset[str], max_pages: int | None, as_json: bool, poll_all: bool) -> None:
    due = plan(settings, poll_all=poll_all, kinds=kinds)
    with RunProgress(
        due.feeds if "poll" in kinds else 0, due.pages if "crawl" in kinds else 0, quiet=as_json
    ) as progress:  # fmt: skip
        totals = run(settings, kinds=kinds, max_pages=max_pages, listener=progress)
    _print(totals, kinds, as_json)
    if totals.polls and totals.polls == totals.polls_failed:
        raise click.ClickException("every poll failed; `news feeds list` shows why")


def _print(totals: Totals, kinds: frozenset[str], as_json: bool) -> None:
    counts = totals.as_dict()
    if as_json:
        print_json(counts)
        return
    if "poll" in kinds:
        names = ("polls", "polls_failed", "entries_new", "entries_changed")
        print_counts("feeds", {name: counts.pop(name) for name in names})
    if "crawl" in kinds:
        pages = counts.pop("pages")
        print_counts("pages", {"fetched": pages} | {name: count for name, count in counts.items() if count})


pages_option = click.option("--pages", "max_pages", type=click.IntRange(min=0), help="Fetch no more pages than this.")
due_option = click.option(
    "--due", "only_due", is_flag=True, help="Poll only feeds whose interval has passed, as a scheduled run does."
)


@click.command()
@pages_option
@due_option
@json_option
@click.pass_obj
def ingest(settings: Settings, max_pages: int | None, only_due: bool, as_json: bool) -> None:
    """Poll the feeds, then fetch, clean and store what is due; once.

    Every healthy feed is polled: those that fail or have gone wait. With --due, whatever is due by its own pace.
    May be stopped and started at any time, and run by several processes at once.

    \b
    Examples:
      news ingest
      news ingest --due --json        from cron, each quarter of an hour
    """
    _work(settings, frozenset({"poll", "crawl"}), max_pages, as_json, not only_due)


@click.command()
@due_option
@json_option
@click.pass_obj
def poll(settings: Settings, only_due: bool, as_json: bool) -> None:
    """Poll the feeds; put what they announce into the frontier, and fetch no page.

    \b
    Example:
      news poll --due
    """
    _work(settings, frozenset({"poll"}), None, as_json, not only_due)


@click.command()
@pages_option
@json_option
@click.pass_obj
def crawl(settings: Settings, max_pages: int | None, as_json: bool) -> None:
    """Fetch, clean and store the pages that are due; poll no feed.

    \b
    Examples:
      news crawl --pages 500
      news crawl & news crawl         two processes share the work
    """
    _work(settings, frozenset({"crawl"}), max_pages, as_json, poll_all=False)
