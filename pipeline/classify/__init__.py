"""What kind of page an answer is: an article, or one of the many things that servers send in place of it.

Pure functions of what was received and parsed. Precision comes first: an article taken for something else is lost,
while something else taken for an article can be seen in the archive. So the rules for what is no article give way to a
long text, and to a page that declares itself an article.

What becomes of a page of each class is said by its row (`CLASSES`) and by the failure reason of its name
(`pipeline.errors.failure_reasons`): whether it is tried again, and whether it means what 404 means.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.classify import class_rules
from pipeline.classify.bot_walls import REFUSALS, wall_of_headers, wall_of_source
from pipeline.classify.media_types import kind_of_bytes
from pipeline.classify.page_facts import PageFacts, ShownBlock, gather_page_facts
from pipeline.classify.page_types import type_of_numbers
from pipeline.model import Response

__all__ = ["CLASSES", "PageClass", "PageFacts", "ShownBlock", "Verdict", "gather_page_facts"]
__all__ += ["class_of_answer", "class_of_numbers", "class_of_page", "class_of_refusal"]


@dataclass(frozen=True, slots=True)
class PageClass:
    """One class of page.

    Attributes:
        name: the word that ``article.page_class`` holds, or the reason why there is no article.
        rule: what speaks for it, in words, or None where a page is not of this class; None for what is known otherwise.
        is_stored: whether such a page is stored as an article, whatever is set (see `PAGE_TYPES`).
    """

    name: str
    meaning: str
    rule: Callable[[PageFacts], str | None] | None = None
    is_stored: bool = False


CLASSES: Final = {
    row.name: row
    for row in (
        PageClass("bot_wall", "a challenge or refusal of a service that keeps programs out", class_rules.bot_wall),
        PageClass("consent", "asks for consent before it shows anything", class_rules.consent),
        PageClass("soft_404", "says that there is no such page, with a status of success", class_rules.soft_404),
        PageClass("login", "asks for a name and a password", class_rules.login),
        PageClass("truncated", "the document ends in the middle of its text", class_rules.truncated),
        PageClass("script_shell", "has no text before its scripts have run", class_rules.script_shell),
        PageClass("list", "a front page, section, search or other list", class_rules.teaser_list),
        PageClass("live_blog", "an article that grows by dated pieces", class_rules.live_blog, is_stored=True),
        PageClass("paywall", "the beginning of what only subscribers see whole", class_rules.paywall, is_stored=True),
        PageClass("recipe", "declared as a recipe", class_rules.recipe),
        PageClass("video", "declared as a video, with little text", class_rules.video),
        PageClass("gallery", "declared as a gallery of pictures, with little text", class_rules.gallery),
        PageClass("collection", "a shop's list of products"),
        PageClass("product", "one product, and how to buy it"),
        PageClass("service", "what a firm or an office offers, and what it says of itself"),
        PageClass("forum", "a question or a thread, and what readers answer"),
        PageClass("documentation", "a chapter of a manual or a reference"),
        PageClass("pdf", "a PDF"),
        PageClass("content_type", "no HTML: pictures, data, feeds"),
        PageClass("article", "everything else", is_stored=True),
    )
}
"""All classes, in the order in which their rules are asked; `pipeline.classify.page_types` tells those without one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The class of a page and what speaks for it, in words; ``is_sure`` where hardly an article looks like that."""

    page_class: str
    evidence: str = ""
    is_sure: bool = True


def class_of_answer(response: Response) -> Verdict | None:
    """The class of an answer that need not be parsed to know it; None where the page has to be read."""
    vendor = wall_of_headers(response.headers, response.status)
    if vendor:
        return Verdict("bot_wall", f"{vendor} asks for proof in its headers")
    kind = kind_of_bytes(response.content_type, response.body)
    return Verdict(*kind) if kind else None


def class_of_refusal(status: int | None, headers: Mapping[str, str], body: bytes) -> Verdict | None:
    """The class of an answer whose status is an error: a bot wall, or None where the status says all there is."""
    if status not in REFUSALS:
        return None
    vendor = wall_of_headers(headers, status) or wall_of_source(body.decode("utf-8", "replace"))
    return Verdict("bot_wall", f"status {status}, a wall of {vendor}") if vendor else None


def class_of_page(page: PageFacts) -> Verdict:
    """The class of a page that was parsed and whose text was extracted: the first rule that holds."""
    for row in CLASSES.values():
        if row.rule and (evidence := row.rule(page)):
            return Verdict(row.name, evidence)
    return Verdict("article")


def class_of_numbers(numbers: Sequence[float]) -> Verdict:
    """The class of a page for which no rule holds, by what was learned of such numbers (`page_numbers`)."""
    typed = type_of_numbers(numbers)
    return Verdict(typed.page_type, typed.evidence, typed.is_sure) if typed else Verdict("article")
