"""Command groups that import a command when it is called, so that ``news --help`` needs no other library than click."""

import sys
import tomllib
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from pipeline.config import Settings

_COMMANDS = Path(__file__).with_name("commands.toml")


def configure_logging_where_used(settings: Settings) -> None:
    """Set up logging if the command that was just imported logs anything.

    structlog takes longer to import than many commands take, and those that only look log nothing.
    """
    if "structlog" in sys.modules:
        from pipeline.runtime.log import configure_logging

        configure_logging(settings)


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for.

    A section of commands.toml lists its commands: where each is, and the first sentence of its help, so that a list of
    commands imports none of them.
    """

    def __init__(self, *args: Any, section: str, **attrs: Any) -> None:  # noqa: ANN401  # click's
        super().__init__(*args, **attrs)
        self._section = section

    @cached_property
    def entries(self) -> dict[str, tuple[str, str]]:
        """The commands by name: each as (``module:function`` below ``pipeline.cli``, summary)."""
        listed = tomllib.loads(_COMMANDS.read_text(encoding="utf-8"))[self._section]
        return {name: (target, summary) for name, (target, summary) in listed.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in alphabetical order."""
        return sorted(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in self.entries:
            return None
        module, _, function = self.entries[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"pipeline.cli.{module}"), function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that these arguments name, and the rest of them; from here on it may log."""
        resolved = super().resolve_command(ctx, args)
        if settings := ctx.find_object(Settings):
            configure_logging_where_used(settings)
        return resolved

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands as `click.Group` does, without importing any of them."""
        width = formatter.width - 6 - max(map(len, self.entries))
        stubs = [click.Command(name, help=summary) for name, (_, summary) in sorted(self.entries.items())]
        with formatter.section("Commands"):
            formatter.write_dl([(str(stub.name), stub.get_short_help_str(width)) for stub in stubs])
