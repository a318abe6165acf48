"""A connection that is cut does not end what uses it."""

import socket
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError

from pipeline.store.connection.engine import open_engine, read, tell_losses, write

pytestmark = pytest.mark.postgres

CUT = sa.text("SELECT pg_terminate_backend(:pid)")


def cut(postgres_url, pid):
    other = open_engine(postgres_url)
    with other.connect() as connection:
        connection.execute(CUT, {"pid": pid})
    other.dispose()


@pytest.mark.parametrize("work", [read, write])
def test_a_transaction_whose_connection_is_cut_is_made_again_on_another(postgres_url, work):
    engine, backends = open_engine(postgres_url), []

    def count_feeds(connection):
        backends.append(connection.scalar(sa.text("SELECT pg_backend_pid()")))
        if len(backends) == 1:
            cut(postgres_url, backends[0])
        return connection.scalar(sa.text("SELECT count(*) FROM feed"))

    assert work(engine, count_feeds) == 0
    assert len(set(backends)) == 2
    engine.dispose()


def test_each_loss_is_told_while_it_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    engine, told = open_engine(f"postgresql://nobody@127.0.0.1:{port}/none", timedelta(seconds=1)), []
    tell_losses(engine, lambda: told.append(1))
    with pytest.raises(OperationalError):
        read(engine, lambda connection: None)
    assert len(told) > 1
    engine.dispose()


def test_what_the_statement_itself_got_wrong_is_raised_at_once(postgres_url):
    engine, calls = open_engine(postgres_url), []

    def ask_nonsense(connection):
        calls.append(1)
        connection.execute(sa.text("SELECT * FROM no_such_table"))

    with pytest.raises(DBAPIError):
        write(engine, ask_nonsense)
    assert len(calls) == 1
    engine.dispose()


def test_a_host_that_is_silent_is_not_waited_for_again_and_again(postgres_url, monkeypatch):
    engine, clock, calls = open_engine(postgres_url), [0.0], []
    monkeypatch.setattr("pipeline.store.connection.engine.time.monotonic", lambda: clock[0])

    def fall_silent(_connection):
        calls.append(1)
        clock[0] += 20.0
        raise OperationalError("", {}, psycopg.errors.ConnectionTimeout("no answer"))

    with pytest.raises(OperationalError):
        write(engine, fall_silent)
    assert len(calls) == 2
    engine.dispose()
