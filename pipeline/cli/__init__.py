"""The command ``news``.

Exit codes: 0 it is done; 1 it could not be done, or only in part; 2 the command line or a setting is wrong.

Each command is a module, or each group of commands; the rooms follow what the commands are about. `lazy_group` imports
them when they are called. Commands never import each other: what several need stands in the modules beside the rooms.
"""

import os
import sys
from types import TracebackType
from typing import Any

import click

from pipeline import __version__
from pipeline.cli.lazy_group import LazyGroup, configure_logging_where_used
from pipeline.config import Settings, find_unknown_settings
from pipeline.errors import ConfigError, NewsError
from pipeline.text.control_characters import show_controls


class NewsGroup(LazyGroup):
    """The group of all commands; turns our exceptions into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # whatever a command returns
        """Run the command."""
        from pipeline.runtime.heap import keep_to_one_arena, search_cycles_less_often

        sys.excepthook = show_traceback
        keep_to_one_arena()
        search_cycles_less_often()
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            error.message = show_controls(error.message, multiline=True)  # type: ignore[misc]  # it is what is shown
            raise
        except ConfigError as error:
            raise click.UsageError(show_controls(str(error), multiline=True)) from error
        except NewsError as error:
            raise click.ClickException(show_controls(str(error), multiline=True)) from error
        except BrokenPipeError:
            # The reader of a pipe went away, as `| head` does; Python would complain once more while it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except Exception as error:
            if reason := _database_error(error):
                raise click.ClickException(f"the database cannot be used: {reason}") from error
            raise


def show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of a fault of ours, as `sys.excepthook`; its message may quote a page."""
    import traceback

    sys.stderr.write(show_controls("".join(traceback.format_exception(kind, error, trace)), multiline=True))


def _database_error(error: Exception) -> str | None:
    """Return the message of a database error, or None for any other error. Light commands never import SQLAlchemy."""
    sqlalchemy = sys.modules.get("sqlalchemy.exc")
    if sqlalchemy is None or not isinstance(error, sqlalchemy.SQLAlchemyError):
        return None
    return show_controls(str(getattr(error, "orig", None) or error).strip(), multiline=True)


@click.group(
    cls=NewsGroup,
    section="news",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings come from NEWS_* environment variables and a settings file: see `news config`.",
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
    ctx.obj = Settings.from_env(os.environ)
    for line in find_unknown_settings(os.environ):
        click.echo(show_controls(f"warning: {line}"), err=True)
    configure_logging_where_used(ctx.obj)
