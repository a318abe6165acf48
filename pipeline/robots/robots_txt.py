"""What a site's robots.txt lets us do (RFC 9309). Pure: the file is fetched and kept elsewhere.

Three steps: `robots_verdict` says what the answer to the request for ``/robots.txt`` means; if that is "rules",
`robots_text` makes text of the body, which can be stored, and `parse_robots` makes `Robots` of the text.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from protego import Protego

from pipeline.errors import FetchError

Verdict = Literal["rules", "allow_all", "disallow_for_now"]

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: a crawler reads at least this much
MAX_CRAWL_DELAY = timedelta(minutes=5)  # more would starve a feed of twenty entries; who means "never" can disallow
MAX_RULE_COPIES = 200_000  # one rule costs memory for each agent of its group: 60 KB of both took 290 MB and 5 s

_AGENT_LINES = ("user-agent", "useragent", "user agent")
_RULE_LINES = ("allow", "disallow")


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one site. Equal texts make equal rules."""

    text: str
    _rules: Protego = field(repr=False, compare=False)

    def may_fetch(self, url: str, user_agent: str) -> bool:
        """Tell whether the rules let this agent fetch the URL; what is no URL may not be fetched.

        Args:
            url: absolute; only its path and query count.
            user_agent: as it is sent; its product token counts.
        """
        try:
            return bool(self._rules.can_fetch(url, product_token(user_agent)))
        except ValueError:  # `http://[`
            return False

    def crawl_delay(self, user_agent: str) -> timedelta | None:
        """The pause that the site asks of this agent, `MAX_CRAWL_DELAY` at most."""
        seconds = self._rules.crawl_delay(product_token(user_agent))
        if seconds is None:
            return None
        return timedelta(seconds=min(seconds, MAX_CRAWL_DELAY.total_seconds()))

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """The sitemaps announced, in order, where they are absolute http(s) URLs."""
        urls = (url for url in self._rules.sitemaps if url.lower().startswith(("http://", "https://")))
        return tuple(dict.fromkeys(urls))


def parse_robots(text: str) -> Robots:
    """The rules of a robots.txt; any text will do, and what cannot be understood does not count."""
    text = text.removeprefix("\ufeff")
    return Robots(text, Protego.parse(_within_reason(text)))


def robots_text(body: bytes) -> str:
    r"""The text of a robots.txt, cut at `MAX_ROBOTS_BYTES`; fit to be stored.

    >>> robots_text(b"Disallow: /caf\xe9")
    'Disallow: /caf�'
    """
    kept = body[:MAX_ROBOTS_BYTES]
    if len(body) > MAX_ROBOTS_BYTES:
        # Half of "Disallow: /private" may well be "Disallow: /".
        kept = kept[: max(kept.rfind(b"\n"), kept.rfind(b"\r")) + 1]
    return kept.decode("utf-8", "replace").replace("\0", "\ufffd")  # PostgreSQL stores no NUL


def robots_verdict(answer: int | FetchError) -> Verdict:
    """What the answer to a request for robots.txt means (RFC 9309, 2.3.1).

    - Rules: a status of success.
    - Everything is allowed: the site has none ("unavailable"): 4xx, access denied included; redirects without end,
      which the RFC lets a crawler treat alike; no content.
    - Nothing for now: the site is not itself ("unreachable"): 5xx, no answer, a broken one. And 429, which the RFC
      counts among the 4xx: a server that is asked too much is not to be asked for more.

    Args:
        answer: status of a `pipeline.model.Response`, or what was raised instead.
    """
    status = answer if isinstance(answer, int) else answer.status
    if isinstance(answer, FetchError):
        if answer.reason in ("empty", "redirect_loop", "too_many_redirects", "bad_redirect"):
            return "allow_all"
        if status is None or answer.reason.startswith("blocked_"):  # the latter: redirected to where we may not go
            return "disallow_for_now"
    elif 200 <= answer < 300:
        return "rules"
    return "allow_all" if status is not None and 300 <= status < 500 and status != 429 else "disallow_for_now"


def product_token(user_agent: str) -> str:
    """What robots.txt knows an agent by: its name without version and comment.

    The whole header would match groups meant for words of our contact address.

    >>> product_token("news-pipeline/0.1 (+https://example.org/bot)")
    'news-pipeline'
    """
    return user_agent.partition("/")[0].partition("(")[0].strip()


def _within_reason(text: str) -> str:
    """The text up to where a group of many agents with many rules would become too costly.

    Agents are counted generously: a group counts as ended only at a line that surely is a rule.
    """
    agents = copies = 0
    in_rules = False
    lines = text.splitlines()
    for number, line in enumerate(lines):
        start = line.lstrip()[:12].lower()
        if start.startswith(_AGENT_LINES):
            agents = 1 if in_rules else agents + 1
            in_rules = False
        else:
            copies += agents
            in_rules = in_rules or start.startswith(_RULE_LINES)
        if copies > MAX_RULE_COPIES:
            return "\n".join(lines[:number])
    return text
