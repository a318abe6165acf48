"""Which blocks of text recur over different articles of one site, and which of those are boilerplate.

Pure decisions on values; `pipeline.store.articles.learned_boilerplate` keeps the counts.

What recurs is not boilerplate yet. A wire story may be printed twice and a story under two addresses
(`pipeline.text.known_blocks.find_copied_article`); a series has its standfirst, and a topic its paragraph of
background. These recur in few of a site's articles, or on one day, or at the top alone, and boilerplate does not
(`is_boilerplate`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

FEW_WORDS = 4
"""Below that, a block may be a line of a table, an answer, a refrain: it has to stand in most articles."""

FEWEST = 5
"""Articles in which a block stands before it is looked at."""

SPAN = 12
"""Articles of the site that a block's share is taken of at least, however close together it was seen."""

_TIERS = ((5, 3, 0.12), (6, 2, 0.25), (8, 1, 0.33), (20, 1, 0.2))
"""(articles, days, share of the site's articles meanwhile): any of them makes a block boilerplate. The fewer days, the
more it takes: all of a day's articles on one event may have its background in common."""

_AT_TOP, _TOP_SHARE = 1.0, 0.35
"""Mean place up to which a block is at the top, and the share it needs there: the standfirst of a series has less."""

_SHORT_SHARE = 0.5

_DAYS = 63  # bits of a signed number in SQL

Verdict = Literal["kept", "dropped"]


@dataclass(frozen=True, slots=True)
class BlockCount:
    """What was counted of a block on its site.

    Attributes:
        articles: different articles that it stood in, copies left out.
        days: days on which those were published, one bit each (`day_bit`).
        span: articles of the site from the first to the last of them, both included.
        above: mean number of paragraphs of text before it in an article.
        words: its length.
    """

    articles: int
    days: int
    span: int
    above: float
    words: int

    @property
    def share(self) -> float:
        """Of the site's articles while it was in use."""
        return self.articles / max(self.span, SPAN)


def is_boilerplate(count: BlockCount, verdict: Verdict | None = None) -> bool:
    """Whether a block that recurs so is boilerplate; what the user said of it comes first."""
    if verdict is not None:
        return verdict == "dropped"
    least = 0.0
    if count.above <= _AT_TOP:
        least = _TOP_SHARE
    if count.words < FEW_WORDS:
        least = _SHORT_SHARE
    return count.share >= least and any(
        count.articles >= articles and days_of(count.days) >= days and count.share >= share
        for articles, days, share in _TIERS
    )


def day_bit(day: date) -> int:
    """The bit that stands for a day.

    Days 63 apart share one, so that days may be taken for fewer, never for more, than they are.
    """
    return 1 << day.toordinal() % _DAYS


def days_of(bits: int) -> int:
    """How many days these bits stand for, 63 at most.

    >>> days_of(day_bit(date(2026, 11, 1)) | day_bit(date(2026, 11, 2)))
    2
    """
    return bits.bit_count()
