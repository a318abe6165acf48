"""How `make cluster-test` judges what a fault came to; the clusters themselves are its own business."""

import dataclasses

import pytest

pytest.importorskip("yaml")
pytest.importorskip("psycopg")

from bench.cluster import Verdict

GOOD = Verdict("worker", 100, stored=100, states=["failed", "success"], at_once=1, gap=1.02)


def test_a_fault_after_which_all_is_there_passes():
    assert GOOD.complaints == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stored": 99}, "99 of 100 are stored"),
        ({"twice": 1}, "1 are stored twice, or have a second revision"),
        ({"states": ["success", "failed"]}, "runs: success, failed"),
        ({"states": []}, "runs: none"),
        ({"left": 2}, "2 claims or pages are left behind"),
        ({"violations": 1}, "1 pages were asked for against robots.txt"),
        ({"at_once": 2}, "2 requests at once to one host"),
        ({"gap": 0.3}, "two requests to one host 0.30 s apart"),
        (
            {"archive": ["3 articles have no archived response"]},
            "the raw archive: 3 articles have no archived response",
        ),
        ({"problem": "it did not end"}, "it did not end"),
    ],
)
def test_each_thing_that_is_not_as_it_should_be_fails_it(change, words):
    assert dataclasses.replace(GOOD, **change).complaints == [words]
