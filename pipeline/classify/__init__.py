"""What kind of page an answer is: an article, or one of the many things that servers send in place of it.

Pure functions of what was received and parsed. Precision comes first: an article taken for something else is lost,
while something else taken for an article can be seen in the archive. So the rules for what is no article give way to a
long text, and to a page that declares itself an article.

=================  ==============================================================  ======================
``bot_wall``       a challenge or refusal of a service that keeps programs out     temporary
``consent``        asks for consent before it shows anything                       temporary
``truncated``      the document ends in the middle of its text                     temporary
``soft_404``       says that there is no such page, with a status of success       as 404
``login``          asks for a name and a password                                  no article
``script_shell``   has no text before its scripts have run                         no article
``list``           front page, section or other list of teasers                    no article
``pdf``            a PDF                                                           no article
``content_type``   no HTML: pictures, data, feeds                                  no article
``paywall``        the beginning of an article that only subscribers see whole     an article, flagged
``live_blog``      an article that grows by dated pieces                           an article, flagged
``article``        everything else                                                 an article
=================  ==============================================================  ======================
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.classify import rules
from pipeline.classify.answers import kind_of_bytes
from pipeline.classify.sight import Shown, Sight, look_at
from pipeline.classify.walls import REFUSALS, wall_of_headers, wall_of_source
from pipeline.model import Response

__all__ = ["GONE", "STORED", "TEMPORARY", "PageClass", "Shown", "Sight", "Verdict", "look_at"]
__all__ += ["class_of_answer", "class_of_page", "class_of_refusal"]

PageClass = Literal[
    "article",
    "paywall",
    "live_blog",
    "bot_wall",
    "consent",
    "truncated",
    "soft_404",
    "login",
    "script_shell",
    "list",
    "pdf",
    "content_type",
]
STORED = frozenset({"article", "paywall", "live_blog"})
"""Classes that are stored as articles."""

TEMPORARY = frozenset({"bot_wall", "consent", "truncated"})
"""Classes that stand in the way of a page, perhaps not for long."""

GONE = frozenset({"soft_404"})
"""Classes that mean what 404 means."""

_RULES: tuple[tuple[PageClass, Callable[[Sight], str | None]], ...] = (
    ("bot_wall", rules.bot_wall),
    ("consent", rules.consent),
    ("soft_404", rules.soft_404),
    ("login", rules.login),
    ("truncated", rules.truncated),
    ("script_shell", rules.script_shell),
    ("list", rules.teaser_list),
    ("live_blog", rules.live_blog),
    ("paywall", rules.paywall),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class of a page and what speaks for it, in words."""

    page_class: PageClass
    evidence: str = ""


def class_of_answer(response: Response) -> Verdict | None:
    """The class of an answer that need not be parsed to know it; None where the page has to be read."""
    vendor = wall_of_headers(response.headers, response.status)
    if vendor:
        return Verdict("bot_wall", f"{vendor} asks for proof in its headers")
    found = kind_of_bytes(response.content_type, response.body)
    return Verdict(*found) if found else None


def class_of_refusal(status: int | None, headers: Mapping[str, str], body: bytes) -> Verdict | None:
    """The class of an answer whose status is an error: a bot wall, or None where the status says all there is."""
    if status not in REFUSALS:
        return None
    vendor = wall_of_headers(headers, status) or wall_of_source(body.decode("utf-8", "replace"))
    return Verdict("bot_wall", f"status {status}, a wall of {vendor}") if vendor else None


def class_of_page(page: Sight) -> Verdict:
    """The class of a page that was parsed and whose text was extracted: the first rule that holds."""
    for page_class, rule in _RULES:
        evidence = rule(page)
        if evidence:
            return Verdict(page_class, evidence)
    return Verdict("article")
