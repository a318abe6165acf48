"""The examples of monitoring speak of metrics that a real scrape of `news watch` yields."""

import json
import re
import socket
import urllib.request
from email.utils import format_datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.support.newsroom import XML, Pipeline
from tests.support.watching import Manager, wait_until, watching
from tests.support.web import Web, page

parser = pytest.importorskip("prometheus_client.parser")
pytest.importorskip("opentelemetry.exporter.prometheus")

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
RULES = [rule for group in YAML(typ="safe").load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"]
         for rule in group["rules"]]  # fmt: skip
EXPRESSIONS = {
    **{f"panel {panel['title']}": [target["expr"] for target in panel["targets"]] for panel in DASHBOARD["panels"]},
    **{f"alert {rule['alert']}": [rule["expr"]] for rule in RULES},
}


@pytest.fixture(scope="module")
def samples(sqlite_template, tmp_path_factory):
    """What Prometheus gets, by name: its values by their labels."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "news.db").write_bytes(sqlite_template.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with Web() as web:
        newsroom = Pipeline(web, f"sqlite:///{folder / 'news.db'}")
        newsroom.serve_stories(1, 2)
        today = re.sub("(?<=<pubDate>).*?(?=</pubDate>)", format_datetime(newsroom.now()), newsroom.feed_of(1, 2))
        web.routes["/feed.xml"] = page(today, XML)
        with watching(newsroom, Manager(str(folder / "notify")), NEWS_METRICS_ADDRESS=address):
            wait_until(lambda: re.search(r'news_pages_total\{.*outcome="new".*\} 2', scrape(address)))
            text = scrape(address)
        newsroom.engine.dispose()
    found = {}
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def scrape(address):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{address}/metrics") as answer:
        return answer.read().decode()


def metrics_of(expression):
    """The names of metrics in a PromQL expression, and the labels that it chooses or groups by."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    labels = {name for part in re.findall(r"\bby \(([^)]*)\)", bare) for name in re.findall(r"\w+", part)}
    labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", bare))
    names = set(re.findall(r"\b(?:news|process|python)_\w+", bare))
    return names, labels - {"job", "instance"}


@pytest.mark.parametrize("title", EXPRESSIONS)
def test_every_metric_and_label_that_is_asked_for_exists(samples, title):
    for expression in EXPRESSIONS[title]:
        names, labels = metrics_of(expression)
        assert names, expression
        for name in names:
            assert name in samples, expression
            known = {label for series in samples[name] for label, _ in series}
            assert labels <= known, expression


def test_every_metric_of_ours_is_documented_and_shown(samples):
    manual = (FOLDER.parents[1] / "docs" / "monitoring.md").read_text("utf-8")
    shown = {name for title in EXPRESSIONS for part in EXPRESSIONS[title] for name in metrics_of(part)[0]}
    ours = {name for name in samples if name.startswith("news_")}
    families = {re.sub(r"_(bucket|count|sum|total|created)$", "", name) for name in ours}
    assert len(families) >= 9
    assert {name for name in families if not any(other.startswith(name) for other in shown)} == set()
    assert {name for name in families if f"`{name}" not in manual} == set()


def test_the_numbers_are_those_of_what_was_done(samples):
    def total(name, **labels):
        return sum(value for series, value in samples[name].items() if labels.items() <= dict(series).items())

    assert total("news_pages_total", outcome="new") == 2
    assert total("news_polls_total", outcome="read") == 1
    assert total("news_received_bytes_total", kind="page") > 1000
    assert total("news_extraction_seconds_count", kind="read_page") == 2
    assert total("news_sql_seconds_count", kind="write") > 2


def test_each_panel_has_a_place_of_its_own_and_each_alert_says_what_to_do():
    places = [tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
    for rule in RULES:
        assert rule["for"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert all(len(rule["annotations"][name]) > 10 for name in ("summary", "description"))


def test_that_nothing_is_new_is_seen_where_nothing_ever_was():
    """A counter has no series before its first count, and no series is never equal to zero."""
    (rule,) = [rule for rule in RULES if rule["alert"] == "NewsNothingNew"]
    assert "or vector(0)" in rule["expr"]
