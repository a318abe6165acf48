"""The articles that a transaction finds stories for, and their stories by now (`pipeline.store.articles.stories`)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.connection.rows import batches
from pipeline.store.schema.tables import ArticleRow, ArticleStoryRow
from pipeline.text.duplicates import ComparedText, compared_text, likeness

LENGTHS = (0.67, 1.5)
"""Length beside the first article's below which one is shortened, and above which it is extended."""

FIRST = (sa.func.coalesce(ArticleRow.published_at, ArticleRow.first_seen_at), ArticleRow.url)
"""The order of the articles of a story."""

_SETTLE = sa.text(
    "INSERT INTO article_story (article_id, story_id, role, similarity)"
    " VALUES (:article_id, :story_id, :role, :similarity) ON CONFLICT (article_id) DO UPDATE"
    " SET story_id = excluded.story_id, role = excluded.role, similarity = excluded.similarity"
)


@dataclass(frozen=True)
class StoryMember:
    """An article, the story that it belongs to, and what its place among the others of it depends on."""

    id: int
    story_id: int | None
    site: str
    text: str
    content_hash: str
    first_at: datetime
    url: str

    @cached_property
    def words(self) -> ComparedText:
        """Its words; made when they are asked for, since that takes longer than all the rest."""
        return compared_text(self.text, self.site)


_MEMBERS = sa.select(
    ArticleRow.id,
    ArticleStoryRow.story_id,
    ArticleRow.site,
    ArticleRow.text,
    ArticleRow.content_hash,
    FIRST[0].label("first_at"),
    FIRST[1],
).outerjoin(ArticleStoryRow, ArticleStoryRow.article_id == ArticleRow.id)
_BY_ID = _MEMBERS.where(ArticleRow.id.in_(sa.bindparam("ids", expanding=True)))
_OF_STORY = _MEMBERS.where(ArticleStoryRow.story_id == sa.bindparam("story_id"))
_STORIES = sa.select(ArticleStoryRow.article_id, ArticleStoryRow.story_id).where(
    ArticleStoryRow.article_id.in_(sa.bindparam("ids", expanding=True)), ArticleStoryRow.story_id.is_not(None)
)


class StoryBatch:
    """The articles that a transaction has to do with, and their stories by now.

    What is settled is written at once for all, at the end or before the articles of a story are read that it changes.

    Attributes:
        members: those that were read, by id; ``story_id`` is that of before.
        stories: the story of each article that was looked up.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._settled: dict[int, dict[str, object]] = {}
        self._changed: set[int | None] = set()  # stories that what is settled comes from or goes to
        self.members: dict[int, StoryMember] = {}
        self.stories: dict[int, int] = {}

    def load(self, ids: Collection[int]) -> list[StoryMember]:
        """The articles with these ids, as far as there are any."""
        for batch in batches(sorted(set(ids) - self.members.keys())):
            self._read(_BY_ID, {"ids": batch})
        return [self.members[article_id] for article_id in sorted(ids) if article_id in self.members]

    def story(self, story_id: int | None) -> list[StoryMember]:
        """The articles of a story."""
        if story_id is None:
            return []
        if story_id in self._changed:
            self.flush()
        return self._read(_OF_STORY, {"story_id": story_id})

    def look_up(self, ids: Collection[int]) -> None:
        """Learn which stories these articles belong to."""
        for batch in batches(sorted(set(ids) - self.stories.keys())):
            rows = self._connection.execute(_STORIES, {"ids": batch})
            self.stories |= {article_id: story_id for article_id, story_id in rows if story_id is not None}

    def settle(self, first: StoryMember, members: Iterable[StoryMember]) -> None:
        """Note that these articles belong to the story of the first one."""
        for member in members:
            role, similarity = _role(first, member)
            row = {"article_id": member.id, "story_id": first.id, "role": role, "similarity": similarity}
            self._settled[member.id] = row
            self._changed |= {first.id, self.stories.get(member.id)}
            self.stories[member.id] = first.id

    def flush(self) -> None:
        """Write what was settled."""
        if self._settled:
            self._connection.execute(_SETTLE, [self._settled[article_id] for article_id in sorted(self._settled)])
            self._settled, self._changed = {}, set()

    def _read(self, query: sa.Select[*tuple[Any, ...]], values: Mapping[str, object]) -> list[StoryMember]:
        read = [StoryMember(*row) for row in self._connection.execute(query, values)]
        for member in read:
            self.members.setdefault(member.id, member)
            if member.story_id is not None:
                self.stories.setdefault(member.id, member.story_id)
        return [self.members[member.id] for member in read]


def story_order(member: StoryMember) -> tuple[datetime, str]:
    """What the order of the articles of a story goes by; the same as `FIRST`."""
    return member.first_at, member.url


def _role(first: StoryMember, member: StoryMember) -> tuple[str, float | None]:
    if member.id == first.id:
        return "first", None
    if member.content_hash == first.content_hash:
        return "copy", 1.0
    similarity = round(likeness(first.words, member.words), 3)
    length = len(member.words.words) / max(1, len(first.words.words))
    shortest, longest = LENGTHS
    return "shortened" if length < shortest else "extended" if length > longest else "edited", similarity
