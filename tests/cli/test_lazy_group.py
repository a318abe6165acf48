"""Commands are imported when they are called, and lists of them need no import."""

import inspect

import click
import pytest

from pipeline.cli.lazy_group import LazyGroup
from tests.support.commands import all_commands

GROUPS = {" ".join(("news", *words)): group for words, group in all_commands() if isinstance(group, LazyGroup)}


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_the_list_says_of_each_command_what_its_help_begins_with(group):
    for name, (_, summary) in group.entries.items():
        command = group.get_command(click.Context(group), name)
        beginning = " ".join(inspect.cleandoc(command.help).partition("\n\n")[0].split())
        assert beginning.startswith(summary), f"commands.toml: the summary of {name} is not how its help begins"
        assert summary.endswith(".")


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_a_command_is_called_what_it_is_listed_as(group):
    for name in group.entries:
        assert group.get_command(click.Context(group), name).name == name
