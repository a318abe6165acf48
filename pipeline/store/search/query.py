r"""The language of searches: one for both databases, read here, so that no input ever reaches SQL as syntax.

::

    harbour board               both words, anywhere
    "harbour board"             one after the other
    harbour OR port             either
    harbour -board              the first, and not the second; also: harbour NOT board
    soleimani NEAR falluja      at most 10 words apart; NEAR/3: at most 3
    harb*                       words that begin so
    title:harbour               in the headline
    (harbour OR port) tides     brackets group
    site:one.example            also author:ruiz, language:de
    after:2026-11-03            also before:, published:2026-11; feed:12 or feed:sport

Times and feeds limit a search as a whole, the other fields stand where words can. AND, OR, NOT and NEAR are operators
in capitals only. AND, which may be left out, binds closer than OR. Case, accents and the like make no difference
(`pipeline.text.search_form`); what stands between letters and digits parts words.
"""

import re

from pipeline.store.search.query_fields import check_word, read_field
from pipeline.store.search.terms import (
    AllOf,
    AnyOf,
    FeedTerm,
    NearTerm,
    PeriodTerm,
    PhraseTerm,
    Query,
    QueryError,
    list_terms,
    split_limits,
)
from pipeline.text.search_form import fold_for_search, split_search_words

NEAR = 10
"""Words that NEAR without a number may leave between."""

MAX_NEAR, MAX_WORDS, MAX_DEPTH, MAX_LENGTH = 30, 40, 20, 1_000
"""Bounds of a query: of NEAR's number, words, brackets in brackets, characters. Ten of each is much already."""


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<bracket>[()])
    | (?P<field>(?i:title|site|author|language|lang|feed|after|since|before|until|published):)
    | (?P<minus>-(?=[^\s-]))
    | "(?P<phrase>[^"]*)"(?P<begun>\*?)
    | (?P<open>")
    | (?P<word>[^\s()"]+)
    )""",
    re.VERBOSE,
)
_NEAR = re.compile(r"NEAR(?:/(\d{1,6}))?")


def parse_query(text: str) -> Query:
    """What a query asks for.

    >>> parse_query('harb* -"new york"')
    AllOf(wanted=(PhraseTerm(words=('harb',), is_prefix=True, in_title=False),), \
unwanted=(PhraseTerm(words=('new', 'york'), is_prefix=False, in_title=False),))

    Raises:
        QueryError: it cannot be understood; the message says why.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"the search has {len(text)} characters; at most {MAX_LENGTH} are read")
    parser = _Parser(text)
    query = parser.read()
    rest, limits = split_limits(query)
    if rest is None:
        raise QueryError("a search that only says when, or of which feed: give a word to find, too")
    if sum(isinstance(term, PeriodTerm | FeedTerm) for term in list_terms(query)) > len(limits):
        raise QueryError("times and feed: limit a search as a whole, not a part of it: (a OR b) after:2026-11")
    if parser.words > MAX_WORDS:
        raise QueryError(f"the search has {parser.words} words; at most {MAX_WORDS} are looked for")
    return query


class _Parser:
    """Reads from left to right, one function for each level of the grammar."""

    def __init__(self, text: str) -> None:
        self._tokens = [match for match in _TOKEN.finditer(text.rstrip()) if match.lastgroup]
        self._at = 0
        self._depth = 0
        self.words = 0
        if any(match["open"] for match in self._tokens):
            raise QueryError('a quotation mark has no partner: "…')

    def read(self) -> Query:
        if not self._tokens:
            raise QueryError("the search is empty")
        query = self._any()
        if self._at < len(self._tokens):
            raise QueryError(f"a bracket too many: {self._shown()}")
        return query

    def _is(self, word: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at]["word"] == word

    def _is_bracket(self, bracket: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at]["bracket"] == bracket

    def _shown(self) -> str:
        return self._tokens[self._at][0].strip() if self._at < len(self._tokens) else "the end"

    def _any(self) -> Query:
        choices = [self._all()]
        while self._is("OR"):
            self._at += 1
            choices.append(self._all())
        return choices[0] if len(choices) == 1 else AnyOf(tuple(choices))

    def _all(self) -> Query:
        wanted: list[Query] = []
        unwanted: list[Query] = []
        is_first = True
        while True:
            if self._is("AND") and not is_first:
                self._at += 1
            elif self._at == len(self._tokens) or self._is("OR") or self._is_bracket(")"):
                break
            if self._is("NOT") or (self._at < len(self._tokens) and self._tokens[self._at]["minus"]):
                self._at += 1
                unwanted.append(self._near())
            else:
                wanted.append(self._near())
            is_first = False
        if not wanted:
            if unwanted:
                raise QueryError("a search that only says what not to find: give a word to find, too")
            raise QueryError(f"a word is missing before {self._shown()}")
        return wanted[0] if len(wanted) == 1 and not unwanted else AllOf(tuple(wanted), tuple(unwanted))

    def _near(self) -> Query:
        term = self._one()
        pairs: list[Query] = []
        while self._at < len(self._tokens) and (near := _NEAR.fullmatch(self._tokens[self._at]["word"] or "")):
            most = int(near[1]) if near[1] else NEAR
            if most > MAX_NEAR:
                raise QueryError(f"NEAR/{most}: at most NEAR/{MAX_NEAR} can be looked for")
            self._at += 1
            last, term = term, self._one()
            if not isinstance(last, PhraseTerm) or not isinstance(term, PhraseTerm) or last.is_prefix or term.is_prefix:
                raise QueryError("NEAR stands between words or phrases, not brackets or beginnings of words")
            pairs.append(NearTerm(last, term, most))
        return term if not pairs else pairs[0] if len(pairs) == 1 else AllOf(tuple(pairs))

    def _one(self) -> Query:
        if self._at == len(self._tokens):
            raise QueryError("a word is missing at the end")
        token = self._tokens[self._at]
        self._at += 1
        if token["field"]:
            return self._in_field(token["field"].lower().removesuffix(":"))
        if token["bracket"] == "(":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise QueryError(f"more than {MAX_DEPTH} brackets in brackets")
            query = self._any()
            if not self._is_bracket(")"):
                raise QueryError("a bracket is not closed: (…")
            self._at += 1
            self._depth -= 1
            return query
        word = token["word"]
        if token["bracket"] or token["minus"] or word in ("AND", "OR", "NOT") or (word and _NEAR.fullmatch(word)):
            raise QueryError(f"a word is missing before {token[0].strip()}")
        return self._phrase(token)

    def _in_field(self, name: str) -> Query:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        self._at += 1
        if token is None or (token["word"] is None and token["phrase"] is None):
            raise QueryError(f"{name}: is followed by a word or a phrase")
        if name == "title":
            phrase = self._phrase(token)
            return PhraseTerm(phrase.words, phrase.is_prefix, in_title=True)
        self.words += 1
        return read_field(name, token["word"] or token["phrase"] + token["begun"])

    def _phrase(self, token: re.Match[str]) -> PhraseTerm:
        text = token["phrase"] if token["word"] is None else token["word"].rstrip("*")
        if token["word"] is not None:
            after = self._tokens[self._at][0] if self._at < len(self._tokens) else " "
            check_word(token["word"], is_followed=not after[0].isspace())
        words = split_search_words(fold_for_search(text))
        if not words:
            raise QueryError(f"no letter and no digit in {token[0].strip()}")
        self.words += len(words)
        return PhraseTerm(words, bool(token["begun"]) if token["word"] is None else token["word"].endswith("*"))
