"""What a site's robots.txt lets us do (RFC 9309). Pure: the file is fetched and kept elsewhere.

Three steps: `robots_verdict` says what the answer to the request for ``/robots.txt`` means; if that is "rules",
`robots_text` makes text of the body, which can be stored, and `parse_robots` makes `Robots` of the text.

Google's parser is followed where the RFC leaves things open, since sites are written for it: one name in a
``User-agent`` line means one agent, with whatever version behind it; lines of an unknown kind, sitemaps among them,
neither begin nor end a group; misspelt names of lines and a missing colon are understood.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

from protego import Protego

from pipeline.errors import FetchError

Kind = Literal["agent", "allow", "disallow", "delay", "sitemap"]

MAX_LINE: Final = 16_664
"""Characters of a line that count, as for Google."""

_KINDS: Final[dict[str, Kind]] = {
    "user-agent": "agent",
    "useragent": "agent",
    "user agent": "agent",
    "allow": "allow",
    "disallow": "disallow",
    "dissallow": "disallow",
    "dissalow": "disallow",
    "disalow": "disallow",
    "diasllow": "disallow",
    "disallaw": "disallow",
    "crawl-delay": "delay",
    "crawldelay": "delay",
    "crawl delay": "delay",
    "sitemap": "sitemap",
    "site-map": "sitemap",
}

_NAME = re.compile(r"[a-z0-9_-]*")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(slots=True)
class AgentGroup:
    """Rules that hold for the same agents.

    Attributes:
        agents: each with its place among the ``User-agent`` lines of the group.
        rules: lines in their usual spelling, in order.
        delays: crawl-delays, each with the number of agents that were named before it: it is theirs alone.
    """

    agents: dict[str, int] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    delays: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RobotsLines:
    """A robots.txt taken apart.

    Attributes:
        groups: in order; one agent may have several, which count as one.
        sitemaps: values of the ``Sitemap`` lines, in order.
    """

    groups: tuple[AgentGroup, ...]
    sitemaps: tuple[str, ...]

    def rules_for(self, product: str) -> str:
        """The lines that are for this agent, as a robots.txt for everybody: those that name it, else those of ``*``."""
        name = product.lower()
        chosen = [group for group in self.groups if name in group.agents]
        if not chosen:
            name = "*"
            chosen = [group for group in self.groups if name in group.agents]
        lines = ["User-agent: *"]
        for group in chosen:
            lines += group.rules
            lines += [f"Crawl-delay: {value}" for named, value in group.delays if group.agents[name] < named]
        return "\n".join(lines)


def read_groups(text: str) -> RobotsLines:
    """Take a robots.txt apart; any text will do."""
    groups: list[AgentGroup] = []
    sitemaps: list[str] = []
    group: AgentGroup | None = None
    for kind, value in _read_lines(text):
        if kind == "sitemap":
            sitemaps.append(value)
        elif kind == "agent":
            if group is None or group.rules:
                group = AgentGroup()
                groups.append(group)
            group.agents.setdefault(_agent_name(value), len(group.agents))
        elif group is None:
            continue  # a rule for nobody
        elif kind == "delay":
            group.delays.append((len(group.agents), value))
        else:
            # An empty rule forbids nothing, but ends the list of agents.
            group.rules.append(f"{kind.capitalize()}: {value}")
    return RobotsLines(tuple(groups), tuple(sitemaps))


def _read_lines(text: str) -> Iterator[tuple[Kind, str]]:
    for line in _LINE_END.split(text):
        content = line[:MAX_LINE].partition("#")[0].strip()
        name, colon, value = content.partition(":")
        if not colon:
            words = content.split()
            if len(words) != 2:
                continue
            name, value = words
        kind = _KINDS.get(name.strip().lower())
        if kind is not None and (colon or kind != "sitemap"):
            yield kind, value.strip()


def _agent_name(value: str) -> str:
    """The agent that a ``User-agent`` line names, without its version; ``*`` for all.

    >>> _agent_name("News-Pipeline/0.1.0"), _agent_name("* # all"), _agent_name("*bot")
    ('news-pipeline', '*', '')
    """
    if value == "*" or value[:2] in {"* ", "*\t"}:
        return "*"
    match = _NAME.match(value.lower())
    return match.group() if match else ""


Verdict = Literal["rules", "allow_all", "disallow_for_now"]

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: a crawler reads at least this much
MAX_CRAWL_DELAY = timedelta(minutes=5)  # more would starve a feed of twenty entries; who means "never" can disallow


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one site. Equal texts make equal rules."""

    text: str
    _lines: RobotsLines = field(repr=False, compare=False)
    _rules: dict[str, Protego] = field(default_factory=dict, repr=False, compare=False)

    def may_fetch(self, url: str, user_agent: str) -> bool:
        """Tell whether the rules let this agent fetch the URL; what is no URL may not be fetched.

        Args:
            url: absolute; only its path and query count.
            user_agent: as it is sent; its product token counts.
        """
        try:
            return bool(self._rules_for(user_agent).can_fetch(url, "*"))
        except ValueError:  # `http://[`
            return False

    def crawl_delay(self, user_agent: str) -> timedelta | None:
        """The pause that the site asks of this agent, `MAX_CRAWL_DELAY` at most."""
        seconds = self._rules_for(user_agent).crawl_delay("*")
        if seconds is None:
            return None
        return timedelta(seconds=min(seconds, MAX_CRAWL_DELAY.total_seconds()))

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """The sitemaps announced, in order, where they are absolute http(s) URLs."""
        urls = (url for url in self._lines.sitemaps if url.lower().startswith(("http://", "https://")))
        return tuple(dict.fromkeys(urls))

    def _rules_for(self, user_agent: str) -> Protego:
        """The rules for one agent. The library is given no others: it takes a group ``news`` for ours, too."""
        product = product_token(user_agent)
        if product not in self._rules:
            self._rules[product] = Protego.parse(self._lines.rules_for(product))
        return self._rules[product]


def parse_robots(text: str) -> Robots:
    """The rules of a robots.txt; any text will do, and what cannot be understood does not count."""
    text = text.removeprefix("\ufeff")
    return Robots(text, read_groups(text))


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
