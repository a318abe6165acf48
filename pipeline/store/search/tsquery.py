"""Queries as PostgreSQL has them: lexemes, each quoted, and where they stand."""

from functools import partial

from pipeline.store.schema.fulltext import postgresql_facet
from pipeline.store.search.terms import AllOf, AnyOf, FieldTerm, NearTerm, PhraseTerm, Query


def quote_lexeme(lexeme: str) -> str:
    """A lexeme as it stands in a query."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def build_tsquery(query: Query, *, coarse: bool = False) -> str:
    """The query; a coarse one leaves out where words stand, which GIN does not know.

    >>> build_tsquery(PhraseTerm(("harbour", "board")))
    "(('harbour':A <-> 'board':A) | ('harbour':D <-> 'board':D))"
    >>> build_tsquery(PhraseTerm(("harbour", "board")), coarse=True)
    "('harbour' & 'board')"
    """
    if isinstance(query, PhraseTerm):
        return _phrase(query, coarse=coarse)
    if isinstance(query, NearTerm):
        return _near(query, coarse=coarse)
    if isinstance(query, FieldTerm):
        words = [_word(postgresql_facet(query.kind, value), begun) for value, begun in query.index_values()]
        return f"({' & '.join(words)})"
    part = partial(build_tsquery, coarse=coarse)
    if isinstance(query, AnyOf):
        return "(" + " | ".join(map(part, query.choices)) + ")"
    assert isinstance(query, AllOf)  # noqa: S101  # limits of the whole are taken out before
    unwanted = [part(choice) for choice in query.unwanted]
    if coarse:
        # Who has the words of a phrase may still not have the phrase.
        unwanted = [
            excluded
            for excluded, choice in zip(unwanted, query.unwanted, strict=True)
            if excluded == build_tsquery(choice)
        ]
    return "(" + " & ".join([*map(part, query.wanted), *(f"!{excluded}" for excluded in unwanted)]) + ")"


def _phrase(phrase: PhraseTerm, *, coarse: bool) -> str:
    words, is_begun = phrase.index_words()
    if coarse or (len(words) == 1 and not phrase.in_title):
        every = [_word(word, is_begun and number == len(words)) for number, word in enumerate(words, 1)]
        return every[0] if len(every) == 1 else f"({' & '.join(every)})"
    return _labelled([_in_order(phrase, label) for label in _labels(phrase)])


def _near(near: NearTerm, *, coarse: bool) -> str:
    if coarse:
        return f"({_phrase(near.first, coarse=True)} & {_phrase(near.second, coarse=True)})"
    choices = []
    for label in _labels(near.first, near.second):
        first, second = (_in_order(phrase, label) for phrase in (near.first, near.second))
        choices += [f"{first} <{n}> {second} | {second} <{n}> {first}" for n in range(1, near.most + 2)]
    return _labelled(choices)


def _labels(*phrases: PhraseTerm) -> str:
    """Labels of words of the headline and of the text: a phrase that begins in the one does not end in the other."""
    return "A" if any(phrase.in_title for phrase in phrases) else "AD"


def _in_order(phrase: PhraseTerm, label: str) -> str:
    words, is_begun = phrase.index_words()
    every = [_word(word, is_begun and number == len(words), label) for number, word in enumerate(words, 1)]
    return every[0] if len(every) == 1 else f"({' <-> '.join(every)})"


def _labelled(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"({' | '.join(choices)})"


def _word(lexeme: str, is_begun: bool, label: str = "") -> str:
    mark = ("*" if is_begun else "") + label
    return quote_lexeme(lexeme) + (f":{mark}" if mark else "")
