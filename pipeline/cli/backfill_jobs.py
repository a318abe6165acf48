"""``news backfill resume|list|show``: the jobs there are, and going on with them."""

from datetime import UTC, datetime

import click

from pipeline.cli.backfill import follow
from pipeline.cli.output import json_option, print_counts, print_json, print_table
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.store.backfill import failed_units, job_state, load_job, open_jobs, summaries
from pipeline.store.engine import open_engine, reading
from pipeline.store.migrate import require_current


@click.command()
@click.argument("job", type=int, required=False)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Pages a second at most.")
@json_option
@click.pass_obj
def resume(settings: Settings, job: int | None, rate: float | None, as_json: bool) -> None:
    """Go on with a backfill, or with all that are not finished.

    \b
    Example:
      news backfill resume 3
    """
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        with reading(engine) as connection:
            jobs = [one.id for one in open_jobs(connection) if not one.wanted.dry]
    finally:
        engine.dispose()
    left = 0
    for one in jobs if job is None else [job]:
        try:
            follow(settings, one, rate, as_json)
        except click.exceptions.Exit:
            left += 1
    if left:
        raise click.exceptions.Exit(1)


@click.command(name="list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List the backfills, the latest first, and how far they are.

    \b
    Example:
      news backfill list
    """
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        with reading(engine) as connection:
            rows = summaries(connection)
    finally:
        engine.dispose()
    if as_json:
        print_json(rows)
        return
    columns = ("id", "source", "targets", "since", "until", "created_at", "finished_at", "units", "waiting")
    print_table(columns, [[row[name] for name in columns] for row in rows])


@click.command(name="show")
@click.argument("job", type=int)
@json_option
@click.pass_obj
def show_(settings: Settings, job: int, as_json: bool) -> None:
    """Show a backfill: its counts, and the units that something went wrong with.

    \b
    Example:
      news backfill show 3
    """
    engine = open_engine(settings.database_url)
    try:
        require_current(engine)
        with reading(engine) as connection:
            found = load_job(connection, job)
            if found is None:
                raise ConfigError(f"there is no backfill {job}; `news backfill list` shows those there are")
            state = job_state(connection, job, datetime.now(UTC))
            troubles = failed_units(connection, job)
    finally:
        engine.dispose()
    if as_json:
        print_json(
            {"job": job, "units": state.units, "waiting": state.waiting, "counts": state.counts, "troubles": troubles}
        )
        return
    print_counts("units", {**state.units, "pages waiting": state.waiting})
    print_counts("counts", {name: count for name, count in state.counts.items() if count})
    print_table(("unit", "state", "reason", "detail"), [list(one.values()) for one in troubles])
