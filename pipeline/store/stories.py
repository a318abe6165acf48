"""Stories: articles of one text, or nearly so, whatever their sites, linked to the first of them.

A story is a connected component of the pairs that `pipeline.dedup.likeness.are_copies` finds. That asks for the two
texts and sites alone, so the stories of an archive depend on what it holds, not on the order in which that came; and
the first of a story is the one that was published first (`FIRST`), whenever it was found. An article that connects two
stories makes them one; one that is revised may leave, and then those left are looked at again.

Candidates come from an index of hashes of runs of words, `MAX_SHARING` for each at most, so the cost of an article does
not depend on how many there are. Whoever places an article holds a lock until the end of the transaction: it has to be
the last thing that a transaction does.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pipeline.dedup.likeness import Words, are_copies, likeness, words_of
from pipeline.store.rows import batches
from pipeline.tables import ArticleRow, ArticleStoryRow, SketchRow

MAX_SHARING = 40
"""Articles, the newest, that one hash leads to. More share only what is printed day after day, or a story that is
reached through forty of its copies."""

MAX_CANDIDATES = 200
"""Articles, those that share most, whose stories are looked up."""

MAX_OF_STORY, MAX_COMPARED, MAX_BY_CHANCE = 4, 8, 2
"""Texts of one story, of all, and of those that share but one hash, that an article is compared with; those that share
most come first. Hardly any article needs more than two."""

LENGTHS = (0.67, 1.5)
"""Length beside the first article's below which one is shortened, and above which it is extended."""

FIRST = (sa.func.coalesce(ArticleRow.published_at, ArticleRow.first_seen_at), ArticleRow.url)
"""The order of the articles of a story."""

_KEEP_ALL = sa.text(
    "INSERT INTO article_sketch (hash, article_id)"
    " SELECT unnest(CAST(:hashes AS bigint[])), :own ON CONFLICT DO NOTHING"
)
_KEEP_EACH = sa.text("INSERT INTO article_sketch (hash, article_id) VALUES (:hash, :own) ON CONFLICT DO NOTHING")
_SETTLE = sa.text(
    "INSERT INTO article_story (article_id, story_id, role, similarity)"
    " VALUES (:article_id, :story_id, :role, :similarity) ON CONFLICT (article_id) DO UPDATE"
    " SET story_id = excluded.story_id, role = excluded.role, similarity = excluded.similarity"
)

_LOCK = 0x73746F7279  # "story"


@dataclass(frozen=True)
class Member:
    """An article, the story that it belongs to, and what its place among the others of it depends on."""

    id: int
    story_id: int | None
    site: str
    text: str
    content_hash: str
    first_at: datetime
    url: str

    @cached_property
    def words(self) -> Words:
        """Its words; made when they are asked for, since that takes longer than all the rest."""
        return words_of(self.text, self.site)


def place_article(connection: Connection, article_id: int, former_text: str | None = None) -> None:
    """Find the story of an article that was just stored, or whose text or time was just changed.

    Args:
        connection: in the transaction that stored it, which must do nothing after this.
        article_id: the article.
        former_text: the text that it had before, where that was another.
    """
    _lock(connection)
    (own,) = _members(connection, ArticleRow.id == article_id)
    others = [member for member in _story(connection, own.story_id) if member.id != article_id]
    if former_text is not None:
        _forget_sketch(connection, article_id, words_of(former_text).sketch - own.words.sketch)
        for part in _parts(others):
            _settle(connection, min(part, key=_place), part)
        others = []
    _keep_sketch(connection, own)
    stories = _stories_of_copies(connection, own) - {member.story_id for member in others}
    firsts = _members(connection, ArticleRow.id.in_(stories)) if stories else []
    first = min((own, *others, *firsts), key=_place)
    moved = [own, *others]
    for story_id in stories - {first.id}:
        moved += _story(connection, story_id)
    _settle(connection, first, moved)


def leave_stories(connection: Connection, article_ids: Collection[int]) -> None:
    """Take articles that are about to be deleted out of their stories; those left behind find together anew."""
    _lock(connection)
    going = _members(connection, ArticleRow.id.in_(article_ids))
    stories = {member.story_id for member in going} - {None}
    left = [member for story_id in stories for member in _story(connection, story_id)]
    for member in going:
        _forget_sketch(connection, member.id, member.words.sketch)
    connection.execute(sa.delete(ArticleStoryRow).where(ArticleStoryRow.article_id.in_(article_ids)))
    for story_id in stories:
        rest = [member for member in left if member.story_id == story_id and member.id not in article_ids]
        for part in _parts(rest):
            _settle(connection, min(part, key=_place), part)


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
    for article_id in missing:
        place_article(connection, article_id)
    return (missing[-1] if missing else None), len(missing)


def count_missing(connection: Connection) -> int:
    """How many articles have no story yet."""
    query = sa.select(sa.func.count()).select_from(ArticleRow)
    joined = query.outerjoin(ArticleStoryRow, ArticleStoryRow.article_id == ArticleRow.id)
    return connection.scalars(joined.where(ArticleStoryRow.story_id.is_(None))).one()


def forget_all(connection: Connection) -> None:
    """Forget all stories and sketches, to make them anew."""
    _lock(connection)
    connection.execute(sa.delete(ArticleStoryRow))
    connection.execute(sa.delete(SketchRow))


def _lock(connection: Connection) -> None:
    """Let workers place one article after the other: the second then sees what the first one wrote.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


_MEMBERS = sa.select(
    ArticleRow.id,
    ArticleStoryRow.story_id,
    ArticleRow.site,
    ArticleRow.text,
    ArticleRow.content_hash,
    FIRST[0].label("first_at"),
    FIRST[1],
).outerjoin(ArticleStoryRow, ArticleStoryRow.article_id == ArticleRow.id)


def _members(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Member]:
    return [Member(*row) for row in connection.execute(_MEMBERS.where(*where))]


def _story(connection: Connection, story_id: int | None) -> list[Member]:
    return _members(connection, ArticleStoryRow.story_id == story_id) if story_id is not None else []


def _keep_sketch(connection: Connection, own: Member) -> None:
    hashes = sorted(own.words.sketch)
    if connection.dialect.name == "postgresql":
        connection.execute(_KEEP_ALL, {"hashes": hashes, "own": own.id})
    elif hashes:
        connection.execute(_KEEP_EACH, [{"hash": number, "own": own.id} for number in hashes])


def _forget_sketch(connection: Connection, article_id: int, sketch: Iterable[int]) -> None:
    for batch in batches(sorted(sketch)):
        connection.execute(sa.delete(SketchRow).where(SketchRow.hash.in_(batch), SketchRow.article_id == article_id))


def _stories_of_copies(connection: Connection, own: Member) -> set[int]:
    """The stories of which at least one article is a copy of this one, or the other way round."""
    found: set[int] = set()
    candidates = _candidates(connection, own)
    while candidates:
        # The most promising article of each story first: one that is a copy speaks for all.
        best = {story_id: article_id for article_id, story_id in reversed(candidates)}
        compared = _members(connection, ArticleRow.id.in_(best.values()))
        copies = [member for member in compared if are_copies(own.words, member.words)]
        found |= {member.story_id for member in copies if member.story_id is not None}
        candidates = [(id_, story) for id_, story in candidates if story not in found and id_ != best[story]]
    return found


_SHARING = """
SELECT article_id, story_id, shared FROM (
  SELECT c.article_id, m.story_id, c.shared,
    row_number() OVER (PARTITION BY m.story_id ORDER BY c.shared DESC, c.article_id) AS place
  FROM (
    SELECT article_id, count(*) AS shared FROM ({listed}) AS l
    WHERE article_id <> :own GROUP BY article_id ORDER BY shared DESC, article_id LIMIT :candidates
  ) AS c JOIN article_story AS m ON m.article_id = c.article_id
  WHERE m.story_id IS NOT NULL
) AS n WHERE place <= :of_story ORDER BY shared DESC, article_id LIMIT :compared
"""

_OF_HASH = "SELECT article_id FROM article_sketch WHERE hash = {} ORDER BY article_id DESC LIMIT :sharing"


def _candidates(connection: Connection, own: Member) -> list[tuple[int, int]]:
    """Articles to compare with, with their stories; those that share most of the sketch first."""
    hashes = sorted(own.words.sketch)
    values: dict[str, object] = {"hashes": hashes}
    if connection.dialect.name == "postgresql":
        each = f"({_OF_HASH.format('h.hash')}) AS n"
        listed = f"SELECT n.article_id FROM unnest(CAST(:hashes AS bigint[])) AS h(hash) CROSS JOIN LATERAL {each}"  # noqa: S608
    else:
        values = {f"h{place}": number for place, number in enumerate(hashes)}
        listed = " UNION ALL ".join(f"SELECT * FROM ({_OF_HASH.format(':' + name)})" for name in values)  # noqa: S608
    limits = {"sharing": MAX_SHARING, "candidates": MAX_CANDIDATES, "of_story": MAX_OF_STORY, "compared": MAX_COMPARED}
    query = sa.text(_SHARING.format(listed=listed))
    rows = connection.execute(query, values | limits | {"own": own.id}) if hashes else ()
    found = [(row.article_id, row.story_id, row.shared) for row in rows]
    by_chance = sum(shared > 1 for _, _, shared in found) + MAX_BY_CHANCE
    return [(article_id, story_id) for article_id, story_id, _ in found[:by_chance]]


def _parts(members: Sequence[Member]) -> list[list[Member]]:
    """The stories that these articles make among themselves."""
    parts: list[list[Member]] = []
    for member in members:
        near = [part for part in parts if any(_are_pair(member.words, other.words) for other in part)]
        rest = [part for part in parts if part not in near]
        parts = [*rest, [member, *(other for part in near for other in part)]]
    return parts


def _are_pair(one: Words, other: Words) -> bool:
    return not one.sketch.isdisjoint(other.sketch) and are_copies(one, other)


def _settle(connection: Connection, first: Member, members: Sequence[Member]) -> None:
    """Write that these articles belong to the story of the first one."""
    rows = []
    for member in sorted(members, key=lambda member: member.id):
        role, similarity = _role(first, member)
        rows.append({"article_id": member.id, "story_id": first.id, "role": role, "similarity": similarity})
    connection.execute(_SETTLE, rows)


def _place(member: Member) -> tuple[datetime, str]:
    return member.first_at, member.url


def _role(first: Member, member: Member) -> tuple[str, float | None]:
    if member.id == first.id:
        return "first", None
    if member.content_hash == first.content_hash:
        return "copy", 1.0
    similarity = round(likeness(first.words, member.words), 3)
    length = len(member.words.words) / max(1, len(first.words.words))
    shortest, longest = LENGTHS
    return "shortened" if length < shortest else "extended" if length > longest else "edited", similarity
