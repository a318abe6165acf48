"""The command ``news``.

Exit codes: 0 it is done; 1 it could not be done, or only in part; 2 the command line or a setting is wrong.
"""

import os
import sys
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from pipeline import __version__, log
from pipeline.cli.access import set_
from pipeline.cli.archive import archive
from pipeline.cli.backfill import backfill
from pipeline.cli.backfill_jobs import list_, resume, show_
from pipeline.cli.boilerplate import boilerplate
from pipeline.cli.changes import changes_
from pipeline.cli.db import db
from pipeline.cli.diff import diff
from pipeline.cli.discover import discover_
from pipeline.cli.explain import explain
from pipeline.cli.export import export
from pipeline.cli.extract import extract
from pipeline.cli.feeds import feeds
from pipeline.cli.gate import gate
from pipeline.cli.look import config, show, status
from pipeline.cli.overview import report
from pipeline.cli.reclean import reclean
from pipeline.cli.retry import retry
from pipeline.cli.rules import rules
from pipeline.cli.run import crawl, ingest, poll
from pipeline.cli.search import search
from pipeline.cli.sql import sql
from pipeline.cli.upkeep import prune, takedown
from pipeline.cli.verify import verify_
from pipeline.cli.websub import websub
from pipeline.config import Settings
from pipeline.errors import ConfigError, NewsError
from pipeline.workers import keep_to_one_arena


class News(click.Group):
    """The group of all commands; turns our exceptions into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # whatever a command returns
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise click.UsageError(str(error)) from error
        except NewsError as error:
            raise click.ClickException(str(error)) from error
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip()
            raise click.ClickException(f"the database cannot be used: {reason}") from error
        except BrokenPipeError:
            # The reader of a pipe went away, as `| head` does; Python would complain once more while it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)


@click.group(
    cls=News,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings come from NEWS_* environment variables: see `news config`.",
)
@click.version_option(__version__, prog_name="news")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Ingest news: poll feeds, fetch pages, strip boilerplate, keep articles and their history in SQL.

    \b
    Examples:
      news db upgrade                          make or update the database
      news feeds import examples/feeds.opml    subscribe to feeds
      news ingest                              poll them, fetch what is new
      news status                              how it went
    """
    if ctx.resilient_parsing:
        return
    keep_to_one_arena()
    settings = Settings.from_env(os.environ)
    log.configure(settings)
    ctx.obj = settings


for command in (
    db,
    feeds,
    backfill,
    ingest,
    poll,
    crawl,
    retry,
    websub,
    status,
    show,
    search,
    changes_,
    diff,
    explain,
    extract,
    export,
    sql,
    report,
    rules,
    boilerplate,
    gate,
    config,
):
    main.add_command(command)
for command in (archive, reclean, takedown, prune):
    main.add_command(command)
feeds.add_command(discover_)
feeds.add_command(set_)
for command in (resume, list_, show_):
    backfill.add_command(command)
main.add_command(verify_)
