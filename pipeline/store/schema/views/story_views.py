"""The view of stories: articles of several sources that are copies of one text."""

from pipeline.store.schema.tables import ArticleRow, ArticleStoryRow, Key, UtcDateTime
from pipeline.store.schema.views.view_shape import Column, View, ViewSource

a, s = ViewSource("a", ArticleRow), ViewSource("s", ArticleStoryRow)

_COPIES = "FROM article_story AS s WHERE s.story_id = a.id AND s.story_id <> s.article_id"
_MEMBERS = "FROM article_story AS s JOIN article AS m ON m.id = s.article_id WHERE s.story_id = a.id"

STORY = View(
    "v_story",
    "One row for each story that was published more than once, copies of one text or nearly so: where it stood first,"
    " how far it went. Its articles are those of v_article with its story_id.",
    (
        a("id", "story_id", "the story: the id of its first article"),
        *a.columns("url", "site", "title", "agency", "language", "published_at"),
        a("first_seen_at", comment="when its first article was stored"),
        Column("articles", f"(SELECT count(*) + 1 {_COPIES})", Key, "articles of it, the first one included"),
        Column("sites", f"(SELECT count(DISTINCT m.site) {_MEMBERS})", Key, "sites that they are on"),
        Column(
            "last_seen_at",
            f"(SELECT max(m.first_seen_at) {_MEMBERS})",
            UtcDateTime(),
            "when its last article was stored",
        ),
    ),
    # Most articles are alone in their story. The copies have an index of their own, in which each article is looked up:
    # to make a list of them all SQLite would read it whole, however few articles are asked for.
    f"FROM article AS a\nWHERE EXISTS (SELECT 1 {_COPIES})",
)

STORY_ARTICLE = View(
    "v_story_article",
    "One row for each article with the story that it belongs to, to go from a story to its articles and back: both keys"
    " have an index, which v_article.story_id cannot have. An article whose story was not looked for yet is not there.",
    (
        s("story_id", comment="the story: the id of its first article"),
        s("article_id"),
        *s.columns("role", "similarity"),
    ),
    "FROM article_story AS s WHERE s.story_id IS NOT NULL",
)
