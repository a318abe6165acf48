"""``news backfill sitemap|warc|html|wayback|ccnews|feed``: one command for each source."""

import click

from pipeline.backfill.saved_pages import plan_folder_units
from pipeline.backfill.warc_files import plan_file_units
from pipeline.cli.backfill.job_run import (
    BackfillOptions,
    common_options,
    languages_option,
    sites_option,
    start_backfill,
)
from pipeline.config import Settings


@click.command("sitemap")
@click.argument("targets", nargs=-1, required=True, metavar="URL|SITE...")
@sites_option
@click.option("--undated", is_flag=True, help="Take pages of a range, too, of which the sitemap tells no date.")
@common_options
def backfill_sitemap_command(settings: Settings, options: BackfillOptions, targets: tuple[str, ...]) -> None:
    """Fetch what sitemaps list: those that a site's robots.txt names, or one by its address.

    A page counts as published when a news sitemap says so, else on the day that its address names, else when it was
    last changed. Sitemaps whose name or last change says that they hold nothing of the range are not read.

    \b
    Examples:
      news backfill sitemap example.org --since 2026-03 --until 2026-04 --dry-run
      news backfill sitemap https://example.org/sitemap-news.xml
    """
    start_backfill(settings, "sitemap", targets, options)


@click.command("warc")
@click.argument("files", nargs=-1, required=True, metavar="PATH|GLOB|URL...")
@sites_option
@languages_option
@common_options
def backfill_warc_command(settings: Settings, options: BackfillOptions, files: tuple[str, ...]) -> None:
    """Take in the pages of WARC files, compressed or not: of CC-NEWS, our own, anyone's.

    Files are read as a stream, from the disk or the network. --since and --until mean the time of capture, which is
    also the date of a page that tells none itself.

    \b
    Examples:
      news backfill warc archive/*.warc.gz --sites example.org,example.net
      news backfill warc https://data.example/CC-NEWS-20260301-00001.warc.gz --languages en,de
    """
    start_backfill(settings, "warc", tuple(address for _, address in plan_file_units(files)), options)


@click.command("html")
@click.argument("folder", type=click.Path())
@sites_option
@languages_option
@click.option("--undated", is_flag=True, help="Take pages of a range, too, of which the index tells no date.")
@common_options
def backfill_html_command(settings: Settings, options: BackfillOptions, folder: str) -> None:
    """Take in saved pages: a folder of .html and .html.gz, as a browser or another crawler left it.

    An index.csv (with a heading) or index.jsonl in it says of each page: file, url, published_at. Without an index, all
    pages below the folder are taken that say themselves where they are from (rel=canonical, og:url).

    \b
    Example:
      news backfill html ~/clippings --since 2019 --until 2020
    """
    start_backfill(settings, "html", tuple(address for _, address in plan_folder_units(folder)), options)


@click.command("wayback")
@click.argument("targets", nargs=-1, required=True, metavar="SITE|PREFIX...")
@common_options
def backfill_wayback_command(settings: Settings, options: BackfillOptions, targets: tuple[str, ...]) -> None:
    """Fetch what the Wayback Machine has of a site, or below the beginning of an address: one copy of each page.

    A page is of the range by the day that its address names, else by that of its first capture. Copies are stored under
    the original address. The archive is asked for one thing at a time; NEWS_WAYBACK_URL names another one.

    \b
    Examples:
      news backfill wayback example.org --since 2015-03 --until 2015-04 --dry-run
      news backfill wayback example.org/politics/ --limit 500
    """
    start_backfill(settings, "wayback", targets, options)


@click.command("ccnews")
@click.option("--months", help="Such as 2026-03, or 2026-03..2026-05: both inside. Default: those of the range.")
@sites_option
@languages_option
@common_options
def backfill_ccnews_command(settings: Settings, options: BackfillOptions, months: str | None) -> None:
    """Take in CC-NEWS, the Common Crawl's news archive, file by file, as a stream.

    A month is some hundred files of a gigabyte: --sites and --languages say what of it is wanted. --since and --until
    mean the time of capture. NEWS_CCNEWS_URL names a mirror.

    \b
    Example:
      news backfill ccnews --months 2026-03..2026-05 --sites example.org --languages en
    """
    start_backfill(settings, "ccnews", (months,) if months else (), options)


@click.command("feed")
@click.argument("targets", nargs=-1, required=True, metavar="URL...")
@click.option("--undated", is_flag=True, help="Take pages of a range, too, of which the feed tells no date.")
@common_options
def backfill_feed_command(settings: Settings, options: BackfillOptions, targets: tuple[str, ...]) -> None:
    """Fetch what a feed announced before: archived and paged feeds (RFC 5005), and WordPress's pages.

    \b
    Example:
      news backfill feed https://example.org/feed/ --since 2024
    """
    start_backfill(settings, "feed", targets, options)
