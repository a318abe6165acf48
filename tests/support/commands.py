"""Every command of the command line."""

import click

from pipeline.cli import main


def all_commands(group=main, path=()):
    """Each command with the words to type for it, groups too; the first is ``news`` itself."""
    yield path, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            yield from all_commands(group.get_command(context, name), (*path, name))


def find_command(words):
    """The command that these words call, as far as they are names of commands."""
    command = main
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
        assert command is not None, f"there is no {' '.join(words)}"
    return command
