"""Settings: what the environment may say, and how they are shown."""

import dataclasses
import ipaddress
from datetime import timedelta

import pytest

from pipeline.config import Settings, masked_url, unknown_variables
from pipeline.errors import ConfigError


def test_nothing_in_the_environment_gives_the_defaults():
    assert Settings.from_env({}) == Settings()
    assert Settings().database_url == "sqlite:///news.db"
    assert Settings().allow_networks == ()


def test_durations_are_given_in_seconds():
    settings = Settings.from_env({"NEWS_LEASE": "90", "NEWS_HOST_DELAY": "0.5", "NEWS_REVISITS": "86400, 60"})
    assert (settings.lease, settings.host_delay) == (timedelta(seconds=90), timedelta(seconds=0.5))
    assert settings.revisits == (timedelta(minutes=1), timedelta(days=1))


def test_networks_and_names_are_read():
    settings = Settings.from_env({"NEWS_ALLOW_NETWORKS": "10.0.0.0/8,::1", "NEWS_RESOLVE": "*.Test=127.0.0.1"})
    assert settings.allow_networks == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))
    assert settings.resolve == (("*.test", "127.0.0.1"),)


def test_an_empty_variable_counts_as_not_set():
    assert Settings.from_env({"NEWS_JOBS": "  "}) == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NEWS_LEASE", "soon"),
        ("NEWS_LEASE", "-1"),
        ("NEWS_LEASE", "nan"),
        ("NEWS_CONCURRENCY", "0"),
        ("NEWS_JOBS", "-1"),
        ("NEWS_ALLOW_NETWORKS", "everything"),
        ("NEWS_RESOLVE", "name"),
        ("NEWS_RESOLVE", "name=other.name"),
        ("NEWS_LOG_FORMAT", "xml"),
        ("NEWS_LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_cannot_be_read_is_an_error_that_names_the_variable(name, value):
    with pytest.raises(ConfigError, match=name):
        Settings.from_env({name: value})


def test_variables_that_are_no_setting_are_found():
    assert unknown_variables({"NEWS_LAESE": "1", "NEWS_LEASE": "1", "HOME": "/"}) == ["NEWS_LAESE"]


def test_every_setting_is_shown_with_its_source_and_no_password():
    environ = {"NEWS_DATABASE_URL": "postgresql+psycopg://news:secret@db/news", "NEWS_LEASE": "60"}
    rows = {row[0]: row[1:] for row in Settings.from_env(environ).described(environ)}
    assert len(rows) == len(dataclasses.fields(Settings))
    assert rows["NEWS_DATABASE_URL"][:2] == ("postgresql+psycopg://news:***@db/news", "environment")
    assert rows["NEWS_LEASE"][:2] == ("60", "environment")
    assert rows["NEWS_JOBS"][1] == "default"
    assert "secret" not in str(rows)


def test_what_is_shown_can_be_given_again():
    settings = Settings.from_env({"NEWS_RESOLVE": "*.a=127.0.0.1,b=::1", "NEWS_ALLOW_NETWORKS": "10.0.0.0/8"})
    shown = {row[0]: row[1] for row in settings.described({})}
    assert Settings.from_env(shown) == settings


@pytest.mark.parametrize("url", ["sqlite:///news.db", "postgresql+psycopg://news@db/news", "nonsense"])
def test_a_url_without_a_password_is_shown_as_it_is(url):
    assert masked_url(url) == url


def test_site_owners_can_reach_whoever_runs_it():
    assert Settings(contact="mailto:ops@news.example").full_user_agent.endswith("(+mailto:ops@news.example)")
