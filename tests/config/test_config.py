"""Settings: what the environment may say, and how they are shown."""

import dataclasses
import ipaddress
from datetime import timedelta

import pytest

from pipeline.config import Settings, find_unknown_settings, masked_url
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
        ("NEWS_LEASE", "0"),
        ("NEWS_LEASE", "0.5"),
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
    environ = {"NEWS_LAESE": "1", "NEWS_LEASE": "1", "NEWS_TEST_POSTGRES_URL": "x", "NEWS_Jobs": "1", "HOME": "/"}
    assert find_unknown_settings(environ) == [
        "NEWS_Jobs is set, and is no setting; did you mean NEWS_JOBS?",
        "NEWS_LAESE is set, and is no setting; did you mean NEWS_LEASE?",
    ]


def test_every_setting_is_shown_with_its_source_and_no_password():
    environ = {"NEWS_DATABASE_URL": "postgresql+psycopg://news:secret@db/news", "NEWS_LEASE": "60"}
    rows = {row[0]: row[1:] for row in Settings.from_env(environ).described(environ)}
    assert len(rows) == len(dataclasses.fields(Settings))
    assert rows["NEWS_DATABASE_URL"][:2] == ("postgresql+psycopg://news:***@db/news", "environment")
    assert rows["NEWS_LEASE"][:2] == ("60", "environment")
    assert rows["NEWS_JOBS"][1] == "default"
    assert "secret" not in str(rows)


def test_of_notifiers_only_their_classes_are_shown(tmp_path):
    environ = {"NEWS_ALERTS": '[["a.SlackWebhook", {"url": "https://hooks.example/T0KEN"}], ["a.Mail", {"to": "x"}]]'}
    settings = Settings.from_env(environ)
    assert dict(row[:2] for row in settings.described(environ))["NEWS_ALERTS"] == "a.SlackWebhook,a.Mail"
    assert "T0KEN" not in repr(settings)
    with pytest.raises(ConfigError) as refused:
        Settings.from_env({"NEWS_ALERTS": '[["a.SlackWebhook", {"url": "https://hooks.example/T0KEN"}'})
    assert "T0KEN" not in str(refused.value)


def test_what_is_shown_can_be_given_again():
    settings = Settings.from_env({"NEWS_RESOLVE": "*.a=127.0.0.1,b=::1", "NEWS_ALLOW_NETWORKS": "10.0.0.0/8"})
    shown = {row[0]: row[1] for row in settings.described({})}
    assert Settings.from_env(shown) == settings


@pytest.mark.parametrize("url", ["sqlite:///news.db", "postgresql+psycopg://news@db/news", "nonsense"])
def test_a_url_without_a_password_is_shown_as_it_is(url):
    assert masked_url(url) == url


def test_site_owners_can_reach_whoever_runs_it():
    assert Settings(contact="mailto:ops@news.example").full_user_agent.endswith("(+mailto:ops@news.example)")
    assert "+" not in Settings().full_user_agent  # no address that is not the operator's


class Folder:
    """A folder with files of settings in it."""

    def __init__(self, path):
        self.path = path

    def write(self, name, text):
        (self.path / name).write_text(text, encoding="utf-8")
        return str(self.path / name)

    @property
    def environ(self):
        return {"NEWS_DATABASE_URL": f"sqlite:///{self.path}/news.db"}


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_a_settings_file_beside_the_database_is_read(folder):
    folder.write(
        "news.toml",
        'host_delay = 0.5\njobs = 2\nallow_networks = ["10.0.0.0/8", "::1"]\ntdm_file = false\nrevisits = [60, 120]\n',
    )
    settings = Settings.from_env(folder.environ)
    assert (settings.host_delay, settings.jobs, settings.tdm_file) == (timedelta(seconds=0.5), 2, "off")
    assert [str(network) for network in settings.allow_networks] == ["10.0.0.0/8", "::1/128"]
    assert settings.revisits == (timedelta(minutes=1), timedelta(minutes=2))


def test_the_environment_wins_over_the_file(folder):
    folder.write("news.toml", "jobs = 2\nconcurrency = 3\n")
    settings = Settings.from_env(folder.environ | {"NEWS_JOBS": "4"})
    assert (settings.jobs, settings.concurrency) == (4, 3)


def test_a_file_that_is_named_is_read_and_paths_in_it_start_from_its_folder(folder):
    file = folder.write(
        "own.toml", 'database_url = "sqlite:///sub/news.db"\nrules_dir = "rules"\narchive_url = "s3://bucket/raw"\n'
    )
    settings = Settings.from_env({"NEWS_CONFIG": file})
    assert settings.database_url == f"sqlite:///{folder.path}/sub/news.db"
    assert settings.rules_dir == f"{folder.path}/rules"
    assert settings.archive_url == "s3://bucket/raw"


def test_a_server_has_no_folder_beside_it(folder, monkeypatch):
    folder.write("news.toml", "jobs = 2\n")
    monkeypatch.chdir(folder.path)
    assert Settings.from_env({"NEWS_DATABASE_URL": "postgresql://db/news"}).jobs == 0
    assert Settings.from_env({}).jobs == 2


def test_secrets_are_read_from_files(folder):
    url = "postgresql+psycopg://news:hunter2@db/news"
    secret = folder.write("url", f"{url}\n")
    assert Settings.from_env({"NEWS_DATABASE_URL_FILE": secret}).database_url == url
    folder.write("news.toml", 'proxy_file = "proxy"\n')
    folder.write("proxy", "http://user:hunter2@proxy.example:3128\n")
    settings = Settings.from_env(folder.environ)
    assert settings.proxy == "http://user:hunter2@proxy.example:3128"
    assert "hunter2" not in str(settings.described(folder.environ)) + repr(settings)


def test_where_a_setting_comes_from_is_shown(folder):
    file = folder.write("news.toml", "jobs = 2\n")
    environ = folder.environ | {"NEWS_LEASE": "60"}
    rows = {row[0]: row[1:3] for row in Settings.from_env(environ).described(environ)}
    assert rows["NEWS_JOBS"] == ("2", file)
    assert rows["NEWS_LEASE"] == ("60", "environment")
    assert rows["NEWS_CONCURRENCY"] == ("64", "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs = ", "cannot be read"),
        ("jobs = -1", "jobs='-1': must be 0 or more"),
        ("jobs = {a = 1}", "jobs must be a text, a number, or a list"),
        ('proxy_file = "nowhere"', "nowhere cannot be read"),
        ('proxy = "http://a:1"\nproxy_file = "b"', "choose one"),
    ],
)
def test_a_settings_file_with_a_fault_is_an_error_that_names_it(folder, text, message):
    folder.write("news.toml", text + "\n")
    with pytest.raises(ConfigError, match=message):
        Settings.from_env(folder.environ)


def test_a_settings_file_that_is_named_must_be_there(folder):
    with pytest.raises(ConfigError, match="settings file"):
        Settings.from_env({"NEWS_CONFIG": str(folder.path / "none.toml")})


def test_names_in_a_settings_file_that_are_no_setting_are_found(folder):
    file = folder.write("news.toml", "laese = 1\nNEWS_JOBS = 2\n")
    assert find_unknown_settings(folder.environ) == [
        f"laese in {file} is no setting; did you mean lease?",
        f"NEWS_JOBS in {file} is no setting",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://news:hidden@db/news",
        "postgresql+psycopg://news@db/news?password=hidden",
        "postgresql://news:hid@den@db/news?sslmode=require&sslpassword=hidden",
        "s3://key:hidden@bucket/raw",
    ],
)
def test_no_secret_of_an_address_is_shown(url):
    assert "hid" not in masked_url(url)
    assert "hid" not in str(Settings(database_url=url, archive_url=url, wayback_url=url).described({}))
    assert "hid" not in repr(Settings(database_url=url))


def test_limits_are_two_numbers_or_one():
    settings = Settings.from_env({"NEWS_CHECK_GAPS": "3, 9", "NEWS_CHECK_GONE_FEEDS": "2"})
    assert (settings.check_gaps, settings.check_gone_feeds) == ((3, 9), (2, 2))
    with pytest.raises(ConfigError, match="NEWS_CHECK_GAPS"):
        Settings.from_env({"NEWS_CHECK_GAPS": "many"})
