"""``news ingest``, ``news poll``, ``news crawl``: one run of ingestion."""

from collections import Counter

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import print_counts, print_json
from pipeline.cli.progress import RunProgress
from pipeline.config import Settings
from pipeline.ingest import Totals, plan_ingest, run_ingest
from pipeline.runtime.events import Event, Listener


class Answers:
    """Listens to a run and records whether anything answered, and why not."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._reasons: dict[str, Counter[str]] = {"poll": Counter(), "page": Counter()}
        self._answered: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Take note of an outcome, and pass it on."""
        if event.kind in self._reasons:
            # A page that the server says is not there was answered; a feed is not had by that.
            is_lost = event.failed and (event.kind == "poll" or event.facts.get("status") is None)
            if is_lost:
                self._reasons[event.kind][str(event.facts.get("reason") or event.outcome)] += 1
            else:
                self._answered[event.kind] += 1
        self._listener(event)

    def require(self) -> None:
        """Fail the command if something was asked and nothing answered.

        Raises ClickException: every poll failed, or no page was answered and there was no poll that was.
        """
        polls, pages = self._reasons["poll"], self._reasons["page"]
        if polls and not self._answered["poll"]:
            raise click.ClickException(f"every poll failed: {_count(polls)}; `news feeds list` shows why")
        if pages and not self._answered.total():
            raise click.ClickException(f"no page was answered: {_count(pages)}; `news status --why` says what to do")


def _count(reasons: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(5))


def _work(
    settings: Settings,
    kinds: frozenset[str],
    max_pages: int | None,
    as_json: bool,
    *,
    poll_all: bool,
    even_failing: bool = False,
) -> None:
    due = plan_ingest(settings, poll_all=poll_all, even_failing=even_failing, kinds=kinds)
    feeds, pages = due.feeds if "poll" in kinds else 0, due.pages if "crawl" in kinds else 0
    with RunProgress(feeds, pages, quiet=as_json) as progress:
        answers = Answers(progress)
        totals = run_ingest(settings, kinds=kinds, max_pages=max_pages, listener=answers)
    _print(totals, kinds, as_json)
    if totals.waiting:
        raise click.ClickException(f"{totals.waiting} feeds and pages wait for the next run, of no fault of theirs")
    answers.require()


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
def ingest_command(settings: Settings, max_pages: int | None, only_due: bool, as_json: bool) -> None:
    """Poll the feeds, then fetch, clean and store what is due; once.

    Every healthy feed is polled: those that fail or have gone wait. With --due, whatever is due by its own pace.
    May be stopped and started at any time, and run by several processes at once.

    \b
    Examples:
      news ingest
      news ingest --due --json        from cron, each quarter of an hour
    """
    _work(settings, frozenset({"poll", "crawl"}), max_pages, as_json, poll_all=not only_due)


@click.command()
@due_option
@click.option("--all", "even_failing", is_flag=True, help="Poll failing and gone feeds, too, whatever they wait for.")
@json_option
@click.pass_obj
def poll_command(settings: Settings, only_due: bool, even_failing: bool, as_json: bool) -> None:
    """Poll the feeds; put what they announce into the frontier, and fetch no page.

    \b
    Examples:
      news poll --due
      news poll --all                 after a fault on your side has been mended
    """
    _work(settings, frozenset({"poll"}), None, as_json, poll_all=not only_due, even_failing=even_failing)


@click.command()
@pages_option
@json_option
@click.pass_obj
def crawl_command(settings: Settings, max_pages: int | None, as_json: bool) -> None:
    """Fetch, clean and store the pages that are due; poll no feed.

    \b
    Examples:
      news crawl --pages 500
      news crawl & news crawl         two processes share the work
    """
    _work(settings, frozenset({"crawl"}), max_pages, as_json, poll_all=False)
