"""An article on its way into the archive: as it was read, as it is to be written, and as it was stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pipeline.model import Article, Cause, Decision, Fetched, Page

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """An article that was read from a page that a worker holds.

    Attributes:
        fetched: what the ledger keeps of the answer.
        cause: who changed the article, should it differ from what is stored.
    """

    page: Page
    article: Article
    fetched: Fetched
    cause: Cause = "publisher"


@dataclass(frozen=True, slots=True)
class SavedArticle:
    """What saving an article came to; ``decision`` is None when the claim was lost to another worker."""

    decision: Decision | None
    url: str


@dataclass(frozen=True, slots=True)
class ArticleVersion:
    """An article as it was read now.

    Attributes:
        home: the page that it is of.
        seen_at: when it was fetched.
        announced_at, announced_from: what announced its page says of its publication, and who that is.
        read_at: when its page was fetched, if not at ``seen_at``.
    """

    home: int
    article: Article
    seen_at: datetime
    cause: Cause = "publisher"
    announced_at: datetime | None = None
    announced_from: str | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """An article as it was stored, and what stood there before."""

    version: ArticleVersion
    id: int
    decision: Decision
    published_at: datetime | None
    stored: sa.RowMapping | None

    @property
    def former_text(self) -> str | None:
        """The text that it had before, where that was another."""
        is_edited = self.stored is not None and self.stored["content_hash"] != self.version.article.content_hash
        return self.stored["text"] if self.stored and is_edited and self.decision == "revised" else None


@dataclass(frozen=True, slots=True)
class PlannedVersion:
    """What is to be written of a version."""

    version: ArticleVersion
    decision: Decision
    published_at: datetime | None
    stored: sa.RowMapping | None
    values: Values
