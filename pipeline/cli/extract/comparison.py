"""Our text of a page beside trafilatura's, after the same cleaning: what both have, and what only one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher

from pipeline.cli.output import print_facts, print_json, print_table
from pipeline.extract import PageInput, explain_article
from pipeline.text.words import count_words, fold_words

ENGINES = ("news", "trafilatura")


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line of the text, as each of the two has it; None where it has not."""

    news: str | None = None
    trafilatura: str | None = None

    @property
    def mark(self) -> str:
        """``<`` for a line of ours alone, ``>`` for one of trafilatura alone."""
        return ">" if self.news is None else "<" if self.trafilatura is None else ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both answers.

    Attributes:
        sources: for each engine what its text came from in the end; None where it has none.
        lines: all lines in reading order.
    """

    sources: Mapping[str, str | None]
    lines: Sequence[ComparedLine]

    def show(self, *, as_json: bool) -> None:
        """Print it: two columns, or JSON."""
        words = {name: sum(count_words(getattr(line, name) or "") for line in self.lines) for name in ENGINES}
        if as_json:
            print_json({"sources": self.sources, "words": words, "lines": list(map(asdict, self.lines))})
            return
        for name, mark in zip(ENGINES, "<>", strict=True):
            source, only = self.sources[name], sum(line.mark == mark for line in self.lines)
            heading = "no text" if source is None else f"{words[name]} words, {only} lines of its own, marked {mark}"
            print_facts({name: heading + (f"; from {source}" if source not in (None, name) else "")})
        print_table(("", *ENGINES), ((line.mark, line.news, line.trafilatura) for line in self.lines))


def compare_answers(page: PageInput) -> Comparison:
    """Read a page both ways. Raises ExtractError when ``empty`` or ``unparsable``."""
    sources: dict[str, str | None] = {}
    texts: dict[str, list[str]] = {}
    for engine in ENGINES:
        explained = explain_article(page, engine=engine)
        source = explained.rescued if explained.rescued not in (None, "blocks") else "news"
        # Where trafilatura finds nothing, ours stands in: that is no answer of its own.
        has_own = engine == "news" or source == engine
        texts[engine] = [line.text for line in explained.lines if line.reason is None] if has_own else []
        sources[engine] = source if texts[engine] else None
    return Comparison(sources, tuple(_align(texts["news"], texts["trafilatura"])))


def _align(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[ComparedLine]:
    own, others = ([fold_words(text) for text in texts] for texts in (ours, theirs))
    for _, start, end, from_, to in SequenceMatcher(None, own, others, autojunk=False).get_opcodes():
        if own[start:end] == others[from_:to]:
            yield from map(ComparedLine, ours[start:end], theirs[from_:to])
        else:
            yield from (ComparedLine(news=text) for text in ours[start:end])
            yield from (ComparedLine(trafilatura=text) for text in theirs[from_:to])
