"""What one page is read from."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.errors.failure_reasons import KEPT_TYPES


@dataclass(frozen=True, slots=True)
class PageInput:
    """A page with what is known of it: all that reading it depends on.

    Attributes:
        body: the page, decompressed.
        url: canonical URL that the page was found at.
        charset: what the server declared.
        published_hint: the time of publication as a feed announced it.
        title_hint: the headline as a feed announced it.
        summary_hint: the summary as a feed announced it.
        fetched_at: when the page was fetched, to choose among the rules of its site.
        rules_dir: a folder with rules of sites that come before those of the package; None: without any rules.
        learned: what recurs on the site and is boilerplate, of which this page is cleaned, too; None where nobody
            counts, so that the article comes without its blocks.
        is_announced: whether a feed announced it: then only a very sure verdict refuses it as no article.
        kept_types: the types of page that are stored, though they are no articles (`pipeline.classify.page_types`).
        agent: our name for robots: a page may say something to one of them alone.
        extractor: who chooses the text, ``news`` or ``trafilatura``; a rule of the site may name another.
    """

    body: bytes
    url: str
    charset: str | None = None
    published_hint: datetime | None = None
    title_hint: str | None = None
    summary_hint: str | None = None
    fetched_at: datetime | None = None
    rules_dir: str | None = ""
    learned: frozenset[str] | None = None
    is_announced: bool = False
    kept_types: tuple[str, ...] = KEPT_TYPES
    agent: str = ""
    extractor: str = "news"
