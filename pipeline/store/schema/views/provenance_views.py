"""Views of what each field of an article rests on, and who says otherwise."""

import sqlalchemy as sa

from pipeline.store.schema.tables import ArticleRow
from pipeline.store.schema.views.article_views import ARTICLE_ID
from pipeline.store.schema.views.view_shape import Column, View, ViewSource

a = ViewSource("a", ArticleRow)

_FIELD = Column("field", "e.key", sa.Text(), "column of v_article that this is about, such as title or published_at")
_CHOSEN = (
    "what said the value that was taken: json-ld, og:title, h1, url …, rule:… for a site's own rule, feed for what"
    " announced the page (v_article.published_from says which that was); several that agree are joined by +"
)
_OF_ARTICLE = a.columns("url", "site", "language", "published_at", "first_seen_at")

PROVENANCE = View(
    "v_provenance",
    "One row for each article and field that its page, or what announced it, says something of: where the value comes"
    " from, how sure it is, who says otherwise.",
    (
        ARTICLE_ID,
        _FIELD,
        Column("source", "{chosen}", sa.Text(), _CHOSEN),
        Column(
            "confidence",
            "{sure}",
            sa.Double(),
            "from 0 to 1: what to sort by, no probability; it falls where sources disagree",
        ),
        Column(
            "alternatives",
            "{alternatives}",
            sa.Text(),
            "what others say, as source: value, a line each; null where nobody does. v_alternative has rows of them",
        ),
        *_OF_ARTICLE,
    ),
    "FROM article AS a {each_field}",
)

ALTERNATIVE = View(
    "v_alternative",
    "One row for each value that a source gives otherwise than v_article has it, to ask who disagrees with whom."
    " Times are other ones where their day is another.",
    (
        ARTICLE_ID,
        _FIELD,
        Column("position", "{place_of_alternative}", sa.Integer(), "place among those of the field, from 1"),
        Column("source", "{other_source}", sa.Text(), "what says otherwise"),
        Column(
            "value",
            "{other_value}",
            sa.Text(),
            "what it says, times in ISO 8601 with their zone; 300 characters at most",
        ),
        Column("chosen_source", "{chosen}", sa.Text(), _CHOSEN),
        *_OF_ARTICLE,
    ),
    "FROM article AS a {each_field} {each_other}",
)
