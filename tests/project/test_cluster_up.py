"""What `make cluster-up` hands on to the processes that it starts."""

import pytest

pytest.importorskip("yaml", reason="Airflow brings it, which the cluster is about")

from examples.airflow.cluster_up import passed_settings


def test_the_users_own_archive_is_not_that_of_the_cluster():
    environ = {
        "NEWS_DATABASE_URL": "sqlite:////home/me/news.db",
        "NEWS_READ_ONLY": "1",
        "NEWS_RESOLVE": "a=127.0.0.1",
        "HOME": "/home/me",
    }
    assert passed_settings(environ) == {"NEWS_RESOLVE": "a=127.0.0.1"}
