"""Queries as PostgreSQL has them: lexemes, each quoted, and where they stand.

Each language has its own stemmer, and what is the stem of a word in one is another word's in the next: *cookies* comes
to ``cook`` in French, as *cooking* does in English. So a query is asked as it is written, and by each language's stems
in articles of the languages that have these::

    'cookies' & 'tax'        'cooki' & 'tax' & '=l:en'        'cook' & 'tax' & '=l:fr'

Languages stand beside a query as a whole: they have no place in the text, so in a phrase they would be nowhere. And
each of these is looked for by itself: in one query, GIN would look up every language for each article of an era, where
a lexeme that no article has ends such a search before it begins.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.search import Any as AnyOf
from pipeline.search import Near, Phrase, Query
from pipeline.store.fulltext import postgresql_facet

Stems = Mapping[str, tuple[str, ...]]
"""The lexemes of each word: one, but in scripts that are parted into characters."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a query as the index has them.

    Attributes:
        written: in articles whose language has no stemmer.
        stemmed: in those of each language that has one.
    """

    written: Stems
    stemmed: Mapping[str, Stems]

    def by_language(self, query: Query) -> Mapping[str, str]:
        """The query in the stems of each language where these differ from the words as they are written."""
        written = tsquery(query, self.written)
        forms = {language: tsquery(query, stems) for language, stems in self.stemmed.items()}
        return {language: form for language, form in forms.items() if form != written}

    def in_any(self, query: Query, language: str | None = None, *, coarse: bool = False) -> Sequence[str]:
        r"""The query in articles of any language, or of this one: they match one of these.

        >>> stems = {"en": {"run": ("run",)}, "da": {"run": ("ru",)}, "nb": {"run": ("ru",)}}
        >>> Words({"run": ("run",)}, stems).in_any(Phrase(("run",)))
        ["'run'", "'ru' & ('=l:da' | '=l:nb')"]
        """
        if language:
            return [tsquery(query, self.stemmed.get(language, self.written), coarse=coarse)]
        languages: dict[str, list[str]] = defaultdict(list)
        for code in self.by_language(query):
            form = tsquery(query, self.stemmed[code], coarse=coarse)
            languages[form].append(quoted(postgresql_facet("l", code)))
        written = tsquery(query, self.written, coarse=coarse)
        if languages and _has_unwanted(query):  # as it is written, what is not wanted may not be there, yet its stem
            written += f" & !({' | '.join(code for codes in languages.values() for code in codes)})"
        return [written, *(f"{form} & ({' | '.join(codes)})" for form, codes in languages.items())]


def quoted(lexeme: str) -> str:
    """A lexeme as it stands in a query."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def tsquery(query: Query, stems: Stems, *, coarse: bool = False) -> str:
    """The query in these stems; a coarse one leaves out where words stand."""
    if isinstance(query, Phrase | Near):
        return _item(query, stems, coarse=coarse)
    part = partial(tsquery, stems=stems, coarse=coarse)
    if isinstance(query, AnyOf):
        return "(" + " | ".join(map(part, query.choices)) + ")"
    unwanted = [part(choice) for choice in query.unwanted]
    if coarse:
        # Who has the words of a phrase may still not have the phrase.
        unwanted = [
            found for found, choice in zip(unwanted, query.unwanted, strict=True) if found == tsquery(choice, stems)
        ]
    return "(" + " & ".join([*map(part, query.wanted), *(f"!{found}" for found in unwanted)]) + ")"


def _has_unwanted(query: Query) -> bool:
    if isinstance(query, Phrase | Near):
        return False
    if isinstance(query, AnyOf):
        return any(map(_has_unwanted, query.choices))
    return bool(query.unwanted) or any(map(_has_unwanted, query.wanted))


def _item(item: Phrase | Near, stems: Stems, *, coarse: bool) -> str:
    if isinstance(item, Near):
        one, other = (_phrase(each, stems, coarse=coarse) for each in (item.one, item.other))
        steps = range(1, item.most + 2)
        near = [f"{one} & {other}"] if coarse else (f"{one} <{n}> {other} | {other} <{n}> {one}" for n in steps)
        return "(" + " | ".join(near) + ")"
    return _phrase(item, stems, coarse=coarse)


def _phrase(phrase: Phrase, stems: Stems, *, coarse: bool) -> str:
    weight = "A" if phrase.in_title and not coarse else ""
    next_to = " & " if coarse else " <-> "
    last = len(phrase.words) - 1
    words = [
        _word(stems[word], weight, next_to, is_prefix=phrase.is_prefix and place == last)
        for place, word in enumerate(phrase.words)
    ]
    return words[0] if last == 0 else "(" + next_to.join(words) + ")"


def _word(lexemes: tuple[str, ...], weight: str, next_to: str, *, is_prefix: bool) -> str:
    label = ("*" if is_prefix else "") + weight
    mark = f":{label}" if label else ""
    parts = [quoted(part) + mark for part in lexemes]
    return parts[0] if len(parts) == 1 else "(" + next_to.join(parts) + ")"
