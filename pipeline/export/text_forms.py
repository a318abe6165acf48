"""Forms of an article's text that exports have on demand, in columns after all others."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from pipeline.export.formats import FIELDS, NAMES, ExportField, Row
from pipeline.text.markdown import make_markdown
from pipeline.text.shape import iterate_blocks

TextForm = Literal["markdown", "blocks"]

_FIELDS: Final[dict[TextForm, ExportField]] = {
    "markdown": ExportField("markdown", "string", False, "headline and text as Markdown"),
    "blocks": ExportField(
        "blocks", "list<block>", False, "the paragraphs of the text with kind and level, as v_article_block has them"
    ),
}
_TITLE, _TEXT, _SHAPE = map(NAMES.index, ("title", "text", "shape"))


def make_fields(forms: Sequence[TextForm]) -> tuple[ExportField, ...]:
    """The columns of files that have these forms, too."""
    return (*FIELDS, *map(_FIELDS.__getitem__, forms))


def make_forms(row: Row, forms: Sequence[TextForm]) -> Row:
    """The values of these forms for the row of an article."""
    return tuple(_make_form(row, form) for form in forms)


def _make_form(row: Row, form: TextForm) -> Any:  # noqa: ANN401  # what the kind of its field says
    if form == "markdown":
        return make_markdown(row[_TEXT], row[_SHAPE], row[_TITLE])
    return [block._asdict() for block in iterate_blocks(row[_TEXT], row[_SHAPE])]
