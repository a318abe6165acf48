"""``news backfill``: fill the archive backwards, from sitemaps, archives of the web, and saved pages."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from pipeline.backfill import Result, Wanted, begin, first_units, run
from pipeline.backfill.estimate import estimate
from pipeline.backfill.saved import folder_units
from pipeline.backfill.warc import file_units
from pipeline.cli.backfill_output import BackfillProgress, print_estimate, print_result
from pipeline.cli.output import json_option, print_json
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.periods import Period, read_period


@click.group()
def backfill() -> None:
    """Fill the archive backwards, through the path of live ingestion.

    Whatever it is filled from, a page is stored once, cleaned by the same rules, and what became of it stands in the
    ledger. A backfill that was stopped, or killed, goes on where it was when the same command is given again.

    Ranges are half-open and in UTC: --since 2026-03 --until 2026-04 is March, all of it and nothing else.
    """


@dataclass(frozen=True, slots=True)
class Options:
    """What all sources may be asked with; those that a source has no option for are empty."""

    period: Period
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    undated: bool
    limit: int | None
    rate: float | None
    dry: bool
    as_json: bool


def common_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that all sources have; the command gets them, and its other ones of `Options`, as one value."""

    @wraps(function)
    def command(
        settings: Settings,
        *,
        since: str | None,
        until: str | None,
        limit: int | None,
        rate: float | None,
        dry_run: bool,
        as_json: bool,
        sites: str | None = None,
        languages: str | None = None,
        undated: bool = False,
        **given: Any,  # noqa: ANN401  # the command's own arguments
    ) -> None:
        options = Options(
            period_from(since, until), words(sites), words(languages), undated, limit, rate, dry_run, as_json
        )
        function(settings, options, **given)

    plain: Callable[..., None] = command
    decorated = json_option(click.pass_obj(plain))
    for option in (
        click.option("--dry-run", is_flag=True, help="Say what it would take, and take nothing."),
        click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Pages a second at most."),
        click.option("--limit", type=click.IntRange(min=1), help="Take so many pages at most."),
        click.option("--until", help="Up to this one, itself outside."),
        click.option("--since", help="From this day, month or time on, such as 2026-03 or 2026-03-05T12:00+01:00."),
    ):
        decorated = option(decorated)
    return decorated


sites_option = click.option("--sites", help="Only pages of these sites and those below them, comma-separated.")
languages_option = click.option("--languages", help="Only articles in these languages, comma-separated ISO 639-1.")


def period_from(since: str | None, until: str | None) -> Period:
    """The range of the command line, or an error of the command line."""
    try:
        return read_period(since, until)
    except ValueError as error:
        raise ConfigError(f"--since and --until: {error}") from error


def words(text: str | None) -> tuple[str, ...]:
    """The parts of a comma-separated option."""
    return tuple(dict.fromkeys(part.strip().lower() for part in (text or "").split(",") if part.strip()))


def do(settings: Settings, source: str, targets: tuple[str, ...], options: Options) -> None:
    """Begin or go on with a job, and say what it came to."""
    wanted = Wanted(
        source,
        targets,
        options.period,
        options.sites,
        options.languages,
        options.limit,
        options.undated,
        options.dry,
    )
    job = begin(settings, wanted, first_units(settings, wanted))
    if not job.is_new and not options.as_json:
        click.echo(f"Going on with backfill {job.id}.", err=True)
    follow(settings, job.id, options.rate, options.as_json, dry=options.dry)


def follow(settings: Settings, job_id: int, rate: float | None, as_json: bool, *, dry: bool = False) -> None:
    """Do what is left of a job, and say what it came to."""
    with BackfillProgress(settings, job_id, quiet=as_json) as progress:
        result = run(settings, job_id, rate=rate, listener=progress)
    if dry:
        told = estimate(settings, result, rate)
        print_json(told) if as_json else print_estimate(told)
    else:
        _report(result, as_json)
    if not result.is_done or result.units.get("failed"):
        raise click.exceptions.Exit(1)


def _report(result: Result, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "job": result.job,
                "done": result.is_done,
                "counts": result.counts,
                "pages": result.totals.as_dict(),
                "units": result.units,
                "waiting": result.waiting,
                "next_at": result.next_at,
                "troubles": result.troubles,
            }
        )
    else:
        print_result(result)


@backfill.command()
@click.argument("targets", nargs=-1, required=True, metavar="URL|SITE...")
@sites_option
@click.option("--undated", is_flag=True, help="Take pages of a range, too, of which the sitemap tells no date.")
@common_options
def sitemap(settings: Settings, options: Options, targets: tuple[str, ...]) -> None:
    """Fetch what sitemaps list: those that a site's robots.txt names, or one by its address.

    A page counts as published when a news sitemap says so, else on the day that its address names, else when it was
    last changed. Sitemaps whose name or last change says that they hold nothing of the range are not read.

    \b
    Examples:
      news backfill sitemap example.org --since 2026-03 --until 2026-04 --dry-run
      news backfill sitemap https://example.org/sitemap-news.xml
    """
    do(settings, "sitemap", targets, options)


@backfill.command()
@click.argument("files", nargs=-1, required=True, metavar="PATH|GLOB|URL...")
@sites_option
@languages_option
@common_options
def warc(settings: Settings, options: Options, files: tuple[str, ...]) -> None:
    """Take in the pages of WARC files, compressed or not: of CC-NEWS, our own, anyone's.

    Files are read as a stream, from the disk or the network. --since and --until mean the time of capture, which is
    also the date of a page that tells none itself.

    \b
    Examples:
      news backfill warc archive/*.warc.gz --sites example.org,example.net
      news backfill warc https://data.example/CC-NEWS-20260301-00001.warc.gz --languages en,de
    """
    do(settings, "warc", tuple(address for _, address in file_units(files)), options)


@backfill.command()
@click.argument("folder", type=click.Path())
@sites_option
@languages_option
@click.option("--undated", is_flag=True, help="Take pages of a range, too, of which the index tells no date.")
@common_options
def html(settings: Settings, options: Options, folder: str) -> None:
    """Take in saved pages: a folder of .html and .html.gz, as a browser or another crawler left it.

    An index.csv (with a heading) or index.jsonl in it says of each page: file, url, published_at. Without an index, all
    pages below the folder are taken that say themselves where they are from (rel=canonical, og:url).

    \b
    Example:
      news backfill html ~/clippings --since 2019 --until 2020
    """
    do(settings, "html", tuple(address for _, address in folder_units(folder)), options)


@backfill.command()
@click.argument("targets", nargs=-1, required=True, metavar="SITE|PREFIX...")
@common_options
def wayback(settings: Settings, options: Options, targets: tuple[str, ...]) -> None:
    """Fetch what the Wayback Machine has of a site, or below the beginning of an address: one copy of each page.

    A page is of the range by the day that its address names, else by that of its first capture. Copies are stored under
    the original address. The archive is asked for one thing at a time; NEWS_WAYBACK_URL names another one.

    \b
    Examples:
      news backfill wayback example.org --since 2015-03 --until 2015-04 --dry-run
      news backfill wayback example.org/politics/ --limit 500
    """
    do(settings, "wayback", targets, options)


@backfill.command()
@click.option("--months", help="Such as 2026-03, or 2026-03..2026-05: both inside. Default: those of the range.")
@sites_option
@languages_option
@common_options
def ccnews(settings: Settings, options: Options, months: str | None) -> None:
    """Take in CC-NEWS, the Common Crawl's news archive, file by file, as a stream.

    A month is some hundred files of a gigabyte: --sites and --languages say what of it is wanted. --since and --until
    mean the time of capture. NEWS_CCNEWS_URL names a mirror.

    \b
    Example:
      news backfill ccnews --months 2026-03..2026-05 --sites example.org --languages en
    """
    do(settings, "ccnews", (months,) if months else (), options)


@backfill.command()
@click.argument("targets", nargs=-1, required=True, metavar="URL...")
@click.option("--undated", is_flag=True, help="Take pages of a range, too, of which the feed tells no date.")
@common_options
def feed(settings: Settings, options: Options, targets: tuple[str, ...]) -> None:
    """Fetch what a feed announced before: archived and paged feeds (RFC 5005), and WordPress's pages.

    \b
    Example:
      news backfill feed https://example.org/feed/ --since 2024
    """
    do(settings, "feed", targets, options)
