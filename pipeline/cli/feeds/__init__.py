"""``news feeds``: subscriptions."""

import click

from pipeline.cli.lazy_group import LazyGroup


@click.group(cls=LazyGroup, section="feeds")
def feeds_group() -> None:
    """Subscribe to feeds, list and change subscriptions."""
