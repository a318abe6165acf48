""""""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import FetchError
from pipeline.robots.robots_txt import (
    MAX_CRAWL_DELAY,
    MAX_ROBOTS_BYTES,
    Robots,
    parse_robots,
    product_token,
    read_groups,
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
    assert not robots.may_fetch("https://news.example/19999", "a7")
    assert robots.may_fetch("https://news.example/19999", "b7")
    # Each rule for each agent is 100 million rules: minutes, and gigabytes. It is kept once.
    assert sum(len(group.rules) for group in robots._lines.groups) == 20_001


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


US = "news-pipeline/0.1.0 (+https://example.org/about)"


@pytest.mark.parametrize(
    ("lines", "agent", "path", "allowed"),
    [
        pytest.param("user-agent: news-pipeline/0.1.0|disallow: /", US, "/a", False, id="a version in the group"),
        pytest.param("user-agent: NEWS-Pipeline 2|disallow: /", US, "/a", False, id="case and a word behind"),
        pytest.param("user-agent: news|allow: /||user-agent: *|disallow: /", US, "/a", False, id="a shorter name"),
        pytest.param("user-agent: news-pipeline-x|disallow: /", US, "/a", True, id="a longer name"),
        pytest.param("user-agent: *bot|disallow: /", US, "/a", True, id="a star before a name is no star"),
        pytest.param("user-agent: * # all of them|disallow: /", US, "/a", False, id="a comment behind the star"),
        pytest.param("user-agent: * x|disallow: /", US, "/a", False, id="a word behind the star"),
        pytest.param("user-agent: a|foo: bar|user-agent: *|disallow: /", "a", "/x", False, id="an unknown line"),
        pytest.param("user-agent: a|foo: bar|user-agent: *|disallow: /", US, "/x", False, id="and those behind it"),
        pytest.param("user-agent: a|sitemap: https://b/s|user-agent: c|disallow: /", "a", "/x", False, id="a sitemap"),
        pytest.param("user-agent: a||user-agent: c|disallow: /", "a", "/x", False, id="an empty line"),
        pytest.param("user-agent: a|disallow:|user-agent: c|disallow: /", "a", "/x", True, id="an empty rule"),
        pytest.param("user-agent: a|disallow: /x|user-agent: c|disallow: /y", "a", "/y", True, id="two groups"),
        pytest.param("user-agent: a|disallow: /x|user-agent: a|disallow: /y", "a", "/y", False, id="two of one agent"),
        pytest.param("user-agent: *|disallow: /|user-agent: a|disallow: /x", "a", "/y", True, id="its own alone"),
        pytest.param("user-agent: a||user-agent: *|disallow: /", "b", "/x", False, id="everybody else"),
        pytest.param("disallow: /|user-agent: b|disallow: /y", US, "/x", True, id="a rule before any agent"),
        pytest.param("user-agent news-pipeline|disallow /", US, "/x", False, id="no colons"),
        pytest.param("user-agent: *|disallow all of it", US, "/x", True, id="no colon and a sentence"),
        pytest.param("useragent: *|dissallow: /", US, "/x", False, id="misspelt"),
        pytest.param("USER-AGENT : *|DISALLOW : /", US, "/x", False, id="capitals and spaces"),
        pytest.param("foo: *|bar: /", US, "/x", True, id="no words of robots.txt at all"),
        pytest.param("user-agent: *|disallow: /#x", US, "/y", False, id="a comment in a rule"),
        pytest.param("user-agent: *|disallow: /a|allow: /a/b", US, "/a/b/c", True, id="the longer rule"),
        pytest.param("user-agent: *|disallow: /a|allow: /a", US, "/a", True, id="of equals the friendlier"),
        pytest.param("user-agent: *|disallow: /\u30c4", US, "/%E3%83%84", False, id="letters and their escapes"),
        pytest.param("user-agent: *|disallow: /*.php$", US, "/a.php?b", True, id="past the end"),
        pytest.param("user-agent: *|disallow: fish", US, "/fish", True, id="a path without a slash"),
        pytest.param(f"user-agent: *|disallow: /{'x' * 16_700}|disallow: /b", US, "/b", False, id="a very long line"),
        pytest.param(f"user-agent: *|disallow: /{'x' * 16_700}", US, f"/{'x' * 16_690}", False, id="is cut, and holds"),
    ],
)
def test_an_agent_goes_by_its_own_groups_or_by_those_for_all(lines, agent, path, allowed):
    robots = parse_robots(lines.replace("|", "\n"))
    assert robots.may_fetch(f"https://news.example{path}", agent) is allowed


def test_a_crawl_delay_is_of_the_agents_before_it_and_does_not_end_their_list():
    robots = parse_robots("user-agent: slow\ncrawl-delay: 9\n\nuser-agent: *\ndisallow: /x")
    assert robots.crawl_delay("slow").total_seconds() == 9
    assert robots.crawl_delay(US) is None
    assert not robots.may_fetch("https://news.example/x", "slow")


def test_sitemaps_belong_to_no_group():
    assert read_groups("sitemap: https://a/s\nuser-agent: *\nsite-map: https://a/t\nsitemap https://a/u").sitemaps == (
        "https://a/s",
        "https://a/t",
    )
