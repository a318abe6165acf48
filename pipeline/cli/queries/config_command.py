"""``news config``: the settings, and where each comes from."""

import os

import click

from pipeline.cli.options import json_option
from pipeline.cli.output import print_json, print_table
from pipeline.config import Settings


@click.command()
@json_option
@click.pass_obj
def config_command(settings: Settings, as_json: bool) -> None:
    """The settings with where they come from; passwords are masked.

    \b
    Examples:
      news config
      NEWS_LEASE=60 news config --json
    """
    rows = settings.described(os.environ)
    if as_json:
        names = ("variable", "value", "source", "explanation")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        print_table(("variable", "value", "source", "explanation"), rows)
