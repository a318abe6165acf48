from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import FetchError
from pipeline.robots import (
    MAX_CRAWL_DELAY,
    MAX_ROBOTS_BYTES,
    MAX_RULE_COPIES,
    Robots,
    parse_robots,
    product_token,
    robots_text,
    robots_verdict,
)

AGENT = "news-pipeline/0.1.0 (+https://example.org/about-our-bot)"

RULES = """
User-agent: *
Disallow: /private/
Allow: /private/press/
Disallow: /*.pdf$
Disallow: /search?
Crawl-delay: 7

User-agent: News-Pipeline
Disallow: /not-for-us/

User-agent: example
User-agent: https
Disallow: /

Sitemap: https://news.example/sitemap.xml
Sitemap: /relative.xml
Sitemap: https://news.example/sitemap.xml
Sitemap: HTTPS://news.example/b.xml
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        pytest.param("/", True, id="what no rule names"),
        pytest.param("/private/a", False, id="a prefix"),
        pytest.param("/private/press/a", True, id="the longer rule wins"),
        pytest.param("/privat", True, id="shorter than the rule"),
        pytest.param("/a/b.pdf", False, id="a wildcard and an end"),
        pytest.param("/a/b.pdf?x=1", True, id="past the end"),
        pytest.param("/search?q=1", False, id="a query"),
        pytest.param("/%70rivate/a", False, id="an escaped letter is that letter"),
        pytest.param("/not-for-us/a", True, id="another agent's rule"),
        pytest.param("/robots.txt", True, id="robots.txt itself"),
    ],
)
def test_rules_for_everyone_hold_for_an_agent_without_a_group(path, allowed):
    assert parse_robots(RULES).may_fetch(f"https://news.example{path}", "other/1.0") is allowed


@pytest.mark.parametrize("agent", [AGENT, "NEWS-PIPELINE", "news-pipeline/9"])
def test_our_own_group_replaces_the_general_one(agent):
    robots = parse_robots(RULES)
    assert not robots.may_fetch("https://news.example/not-for-us/a", agent)
    assert robots.may_fetch("https://news.example/private/a", agent)


def test_the_words_of_the_contact_address_name_no_agent():
    # "example" and "https" have groups of their own; both words stand in our header.
    assert parse_robots(RULES).may_fetch("https://news.example/a", AGENT)


def test_sitemaps_are_absolute_and_named_once():
    assert parse_robots(RULES).sitemaps == ("https://news.example/sitemap.xml", "HTTPS://news.example/b.xml")


@pytest.mark.parametrize(
    ("value", "delay"),
    [
        pytest.param("7", timedelta(seconds=7), id="whole"),
        pytest.param("0.5", timedelta(seconds=0.5), id="fraction"),
        pytest.param("0", timedelta(0), id="zero"),
        pytest.param("86400", MAX_CRAWL_DELAY, id="a day is capped"),
        pytest.param("1e300", MAX_CRAWL_DELAY, id="absurd is capped"),
        pytest.param("inf", None, id="no number"),
        pytest.param("-3", None, id="negative"),
        pytest.param("ten", None, id="a word"),
    ],
)
def test_a_crawl_delay_is_a_duration_within_bounds(value, delay):
    assert parse_robots(f"User-agent: *\nCrawl-delay: {value}").crawl_delay(AGENT) == delay


def test_no_rules_means_no_delay_and_everything_allowed():
    robots = parse_robots("")
    assert robots.crawl_delay(AGENT) is None
    assert robots.may_fetch("https://news.example/a", AGENT)
    assert robots.sitemaps == ()


def test_a_byte_order_mark_does_not_hide_the_first_line():
    robots = parse_robots(robots_text(b"\xef\xbb\xbfUser-agent: *\nDisallow: /"))
    assert not robots.may_fetch("https://news.example/a", AGENT)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_of_the_three_ways(ending):
    robots = parse_robots(ending.join(["User-agent: *", "Disallow: /a", "Disallow: /b"]))
    assert [robots.may_fetch(f"https://news.example/{x}", AGENT) for x in "abc"] == [False, False, True]


def test_a_long_file_is_cut_before_the_line_that_crosses_the_limit():
    head = b"User-agent: *\n" + b"#" * (MAX_ROBOTS_BYTES - 14 - 11) + b"\n"
    body = head + b"Disallow: /private"
    assert body[:MAX_ROBOTS_BYTES].endswith(b"Disallow: ")
    assert robots_text(body) == head.decode()
    # One byte more would have been read as a ban of everything.
    assert robots_text(body[1:] + b"/more") == head[1:].decode()


def test_text_fit_to_be_stored_has_no_nul():
    assert robots_text(b"a\0b\xff") == "a\ufffdb\ufffd"


def test_many_agents_with_many_rules_do_not_multiply():
    agents = "".join(f"User-agent: a{n}\n" for n in range(5_000))
    rules = "".join(f"Disallow: /{n:05}\n" for n in range(20_000))
    robots = parse_robots(agents + rules + "User-agent: *\nDisallow: /z\n")
    kept = MAX_RULE_COPIES // 5_000
    assert not robots.may_fetch(f"https://news.example/{kept - 1:05}", "a7")
    assert robots.may_fetch(f"https://news.example/{kept + 1:05}", "a7")
    # Read in full this is 100 million rules: minutes, and gigabytes.
    assert sum(len(rules._rules) for rules in robots._rules._user_agents.values()) <= MAX_RULE_COPIES


def test_a_long_but_ordinary_file_is_read_to_its_end():
    groups = "".join(f"User-agent: bot{n}\nDisallow: /x{n}\nDisallow: /y{n}\n\n" for n in range(2_000))
    robots = parse_robots(groups + "User-agent: *\nDisallow: /last\n")
    assert not robots.may_fetch("https://news.example/last", AGENT)


def error(reason: str, status: int | None = None) -> FetchError:
    return FetchError("https://news.example/robots.txt", reason, temporary=True, status=status)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (200, "rules"),
        (203, "rules"),
        (error("empty", 200), "allow_all"),
        (error("empty", 204), "allow_all"),
        (error("http_400", 400), "allow_all"),
        (error("http_401", 401), "allow_all"),
        (error("http_403", 403), "allow_all"),
        (error("http_404", 404), "allow_all"),
        (error("http_410", 410), "allow_all"),
        (error("http_451", 451), "allow_all"),
        (error("http_429", 429), "disallow_for_now"),
        (error("http_500", 500), "disallow_for_now"),
        (error("http_503", 503), "disallow_for_now"),
        (error("http_999", 999), "disallow_for_now"),
        (error("redirect_loop"), "allow_all"),
        (error("too_many_redirects"), "allow_all"),
        (error("bad_redirect"), "allow_all"),
        (error("http_300", 300), "allow_all"),
        (error("timeout"), "disallow_for_now"),
        (error("deadline"), "disallow_for_now"),
        (error("dns"), "disallow_for_now"),
        (error("connect"), "disallow_for_now"),
        (error("tls"), "disallow_for_now"),
        (error("reset"), "disallow_for_now"),
        (error("truncated", 200), "disallow_for_now"),
        (error("bad_encoding", 200), "disallow_for_now"),
        (error("too_large", 200), "disallow_for_now"),
        (error("http_206", 206), "disallow_for_now"),
        (error("blocked_address"), "disallow_for_now"),
        (error("blocked_address", 302), "disallow_for_now"),
        (404, "allow_all"),
        (304, "allow_all"),
        (503, "disallow_for_now"),
    ],
    ids=str,
)
def test_the_verdict_on_an_answer(answer, verdict):
    assert robots_verdict(answer) == verdict


@pytest.mark.parametrize(
    ("agent", "token"),
    [
        ("news-pipeline/0.1", "news-pipeline"),
        ("news-pipeline", "news-pipeline"),
        ("news-pipeline (+https://a.example)", "news-pipeline"),
        (" Daily Reader /2", "Daily Reader"),
        ("", ""),
    ],
)
def test_the_product_token_is_the_name_alone(agent, token):
    assert product_token(agent) == token


robots_lines = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.builds(
            "{}{}{}".format,
            st.sampled_from(
                ["User-agent", "Disallow", "Allow", "Crawl-delay", "Sitemap", "Request-rate", "Visit-time"]
            ),
            st.sampled_from([":", " ", ": ", "\t:"]),
            st.text(max_size=40),
        ),
    ),
    max_size=30,
).map("\n".join)


@given(robots_lines, st.text(max_size=60), st.text(max_size=20))
@example("User-agent: *\nDisallow: /", "http://[", "bot")
@example("User-agent: *\nDisallow: $$$", "http://a/$", "")
@example("User-agent: \udcff", "http://a/\udcff", "\udcff")
def test_any_text_can_be_read_and_asked(text, url, agent):
    robots = parse_robots(text)
    assert isinstance(robots, Robots)
    assert robots.may_fetch(url, agent) in (True, False)
    delay = robots.crawl_delay(agent)
    assert delay is None or timedelta(0) <= delay <= MAX_CRAWL_DELAY
    assert all(isinstance(url, str) for url in robots.sitemaps)


@given(st.binary(max_size=300))
@example(b"\xff\xfe\x00U")
def test_any_bytes_make_text_that_reads_the_same_when_read_again(body):
    text = robots_text(body)
    assert robots_text(text.encode()) == text
    assert parse_robots(parse_robots(text).text) == parse_robots(text)
