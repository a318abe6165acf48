"""Lists that go on by key reach an index that is in their order: the first page reads no more than it shows."""

import pytest

from pipeline.store.connection.engine import open_engine
from pipeline.store.connection.readonly import only_reading, run_readonly_query
from pipeline.store.queries.known_lists import ENTRIES, POLLS
from pipeline.store.queries.view_lists import write_sql


@pytest.mark.parametrize("view_list", [ENTRIES, POLLS], ids=lambda view_list: view_list.view)
def test_the_newest_of_a_feed_are_not_sorted_out_of_all_it_ever_had(sqlite_url, view_list):
    engine = open_engine(sqlite_url)
    statement = write_sql(view_list.select({"feed": "1"}, 50), "sqlite")
    with only_reading(engine) as connection:
        plan = [row[3] for row in run_readonly_query(connection, f"EXPLAIN QUERY PLAN {statement}")]
    engine.dispose()
    table = "e" if view_list is ENTRIES else "poll"
    (step,) = [step for step in plan if step.startswith(f"SEARCH {table} USING") and "(feed_id=?" in step]
    assert "ix_" in step
    sorted_steps = [step for step in plan if "ORDER BY" in step]
    assert len(sorted_steps) <= 1, "of the page alone"
