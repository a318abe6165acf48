"""Stories: articles of one text, or nearly so, whatever their sites, linked to the first of them.

A story is a connected component of the pairs that `pipeline.text.duplicates.are_copies` finds. That asks for the two
texts and sites alone, so the stories of an archive depend on what it holds, not on the order in which that came; and
the first of a story is the one that was published first (`pipeline.store.articles.story_batch.FIRST`), whenever it was
found. An article that connects two stories makes them one; one that is revised may leave, and those left are looked at
again.

Candidates come from an index of hashes of runs of words (`pipeline.store.articles.sketches`), so the cost of an article
does not depend on how many there are. A transaction that places articles holds a lock until its end: it has to be the
last thing that it does.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.store.articles.sketches import find_sharing, forget_sketch, keep_sketches
from pipeline.store.articles.story_batch import StoryBatch, StoryMember, story_order
from pipeline.store.connection.rows import batches
from pipeline.store.schema.tables import ArticleRow, ArticleStoryRow, SketchRow
from pipeline.text.duplicates import are_copies, compared_text

MAX_CANDIDATES = 200
"""Articles, those that share most, whose stories are looked up."""

MAX_OF_STORY, MAX_COMPARED, MAX_BY_CHANCE = 4, 8, 2
"""Texts of one story, of all, and of those that share but one hash, that an article is compared with; those that share
most come first. Hardly any article needs more than two."""

_LOCK = 0x73746F7279  # "story"


@dataclass(frozen=True, slots=True)
class Placing:
    """An article that was just stored, or whose text or time was just changed.

    Attributes:
        former_text: the text that it had before, where that was another.
        sketch: of its text, where that is known; or else it is made here.
    """

    article_id: int
    former_text: str | None = None
    sketch: Collection[int] = ()


def place_articles(connection: Connection, placings: Sequence[Placing]) -> None:
    """Find the stories of articles, in the transaction that stored them, which must do nothing after this."""
    _lock(connection)
    board = StoryBatch(connection)
    board.load([placing.article_id for placing in placings])
    sketches = {
        placing.article_id: frozenset(placing.sketch or _sketch(board.members[placing.article_id]))
        for placing in placings
    }
    sharing = find_sharing(connection, sketches)
    board.look_up({article_id for shared in sharing.values() for article_id in shared})
    for placing in placings:
        if placing.former_text is not None:
            gone = compared_text(placing.former_text).sketch - sketches[placing.article_id]
            forget_sketch(connection, placing.article_id, gone)
    keep_sketches(connection, sketches)
    # At once for all: a query for each would cost more than the texts.
    board.load({article_id for shared in sharing.values() for article_id in _best(_candidates(board, shared)).values()})
    for placing in placings:
        own = board.members[placing.article_id]
        _place_one(board, own, sharing[own.id], is_edited=placing.former_text is not None)
    board.flush()


def _place_one(board: StoryBatch, own: StoryMember, sharing: Mapping[int, int], *, is_edited: bool) -> None:
    others = [member for member in board.story(board.stories.get(own.id)) if member.id != own.id]
    if is_edited:
        for part in _parts(others):
            board.settle(min(part, key=story_order), part)
        others = []
    stories = _stories_of_copies(board, own, sharing) - {board.stories[member.id] for member in others}
    first = min((own, *others, *board.load(stories)), key=story_order)
    moved = [own, *others]
    for story_id in sorted(stories - {first.id}):
        moved += board.story(story_id)
    board.settle(first, moved)


def _sketch(member: StoryMember) -> frozenset[int]:
    # Not by way of the member, which would keep its words: there may be many.
    return compared_text(member.text, member.site).sketch


def leave_stories(connection: Connection, article_ids: Collection[int]) -> None:
    """Take articles that are about to be deleted out of their stories; those left behind are grouped again."""
    _lock(connection)
    board = StoryBatch(connection)
    going = board.load(article_ids)
    stories = {member.story_id for member in going} - {None}
    left = {story_id: board.story(story_id) for story_id in stories}
    for member in going:
        forget_sketch(connection, member.id, member.words.sketch)
    connection.execute(sa.delete(ArticleStoryRow).where(ArticleStoryRow.article_id.in_(article_ids)))
    for members in left.values():
        for part in _parts([member for member in members if member.id not in article_ids]):
            board.settle(min(part, key=story_order), part)
    board.flush()


def place_missing(connection: Connection, after: int, limit: int) -> tuple[int | None, int]:
    """Place articles that have no story yet, in the order of their ids; returns the last one's, and how many they were.

    To be called again with that id until it is None; a call is a transaction.
    """
    missing = connection.scalars(
        sa.select(ArticleRow.id)
        .outerjoin(ArticleStoryRow, ArticleStoryRow.article_id == ArticleRow.id)
        .where(ArticleRow.id > after, ArticleStoryRow.story_id.is_(None))
        .order_by(ArticleRow.id)
        .limit(limit)
    ).all()
    for batch in batches(missing):
        place_articles(connection, [Placing(article_id) for article_id in batch])
    return (missing[-1] if missing else None), len(missing)


def count_missing(connection: Connection) -> int:
    """How many articles have no story yet."""
    query = sa.select(sa.func.count()).select_from(ArticleRow)
    joined = query.outerjoin(ArticleStoryRow, ArticleStoryRow.article_id == ArticleRow.id)
    return connection.scalars(joined.where(ArticleStoryRow.story_id.is_(None))).one()


def forget_stories(connection: Connection) -> None:
    """Forget all stories and sketches, to make them again."""
    _lock(connection)
    connection.execute(sa.delete(ArticleStoryRow))
    connection.execute(sa.delete(SketchRow))


def _lock(connection: Connection) -> None:
    """Let workers place one after the other: the second then sees what the first one wrote.

    Locks on the hashes of what is placed would let more at once, but not do: an article may join a story while another
    one that shares nothing with it moves that story; and a batch has so many that they would fill PostgreSQL's table of
    locks. The lock is held for some milliseconds of a batch. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_TAKE_LOCK)


_TAKE_LOCK = sa.select(sa.func.pg_advisory_xact_lock(_LOCK))


def _stories_of_copies(board: StoryBatch, own: StoryMember, sharing: Mapping[int, int]) -> set[int]:
    """The stories of which at least one article is a copy of this one, or the other way round."""
    stories: set[int] = set()
    candidates = _candidates(board, sharing)
    twin: StoryMember | None = None
    while candidates:
        best = _best(candidates)
        compared = board.load(best.values())
        twin = twin or next((member for member in compared if member.content_hash == own.content_hash), None)
        if twin is not None:
            # Another article of this text was compared with the others. Only at its home was that by a stricter rule.
            compared = [member for member in compared if member.site == twin.site]
        stories |= {board.stories[member.id] for member in compared if _are_copies(own, member)}
        candidates = [(id_, story) for id_, story in candidates if story not in stories and id_ != best[story]]
    return stories


def _candidates(board: StoryBatch, sharing: Mapping[int, int]) -> list[tuple[int, int]]:
    """Articles to compare with, with their stories; those that share most of the sketch first."""
    of_story: dict[int, int] = {}
    candidates: list[tuple[int, int]] = []
    by_chance = 0
    for article_id in sorted(sharing, key=lambda key: (-sharing[key], key))[:MAX_CANDIDATES]:
        story_id = board.stories.get(article_id)
        if story_id is None or of_story.get(story_id, 0) == MAX_OF_STORY:
            continue
        by_chance += sharing[article_id] == 1
        if len(candidates) == MAX_COMPARED or by_chance > MAX_BY_CHANCE:
            break
        of_story[story_id] = of_story.get(story_id, 0) + 1
        candidates.append((article_id, story_id))
    return candidates


def _best(candidates: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The most promising article of each story, to be compared with first: one that is a copy speaks for all."""
    return {story_id: article_id for article_id, story_id in reversed(candidates)}


def _parts(members: Sequence[StoryMember]) -> list[list[StoryMember]]:
    """The stories that these articles make among themselves."""
    parts: list[list[StoryMember]] = []
    for member in members:
        near = [part for part in parts if any(_are_pair(member, mate) for mate in part)]
        rest = [part for part in parts if part not in near]
        parts = [*rest, [member, *(mate for part in near for mate in part)]]
    return parts


def _are_pair(first: StoryMember, second: StoryMember) -> bool:
    """The same, of two of which it is not known whether the index leads from one to the other."""
    return not first.words.sketch.isdisjoint(second.words.sketch) and _are_copies(first, second)


def _are_copies(first: StoryMember, second: StoryMember) -> bool:
    # Texts that differ in layout at most need not be taken to pieces.
    return first.content_hash == second.content_hash or are_copies(first.words, second.words)
