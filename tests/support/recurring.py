"""A site of made-up articles with blocks that its system prints into them, and what is true of each page."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape

STARTED_AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
SYLLABLES = ["ba", "cor", "del", "fen", "gri", "hol", "is", "ka", "lum", "mer", "nor", "ost", "pil", "ra", "sen", "tol"]
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August")


@dataclass(frozen=True)
class Printed:
    """A block that the site's system prints: how often, from which article on, and in which words."""

    pattern: str
    rate: float
    since: int = 0

    def text(self, rng):
        return self.pattern.format(
            number=rng.randrange(2, 5000),
            date=f"{rng.randrange(1, 29)} {rng.choice(MONTHS)} 2026",
            name=word(rng).title(),
            other=word(rng).title(),
        )


@dataclass(frozen=True)
class Page:
    """A page with the blocks that are true text of its article and those that are not, in reading order."""

    number: int
    published_at: datetime
    title: str
    blocks: tuple[tuple[str, bool], ...]

    @property
    def true(self):
        return [text for text, is_true in self.blocks if is_true]

    @property
    def printed(self):
        return [text for text, is_true in self.blocks if not is_true]

    @property
    def html(self):
        body = "".join(f"<p>{escape(text)}</p>" for text, _ in self.blocks)
        return (
            f'<!doctype html><html lang="xx"><head><meta charset="utf-8"><title>{escape(self.title)}</title>'
            f'<meta property="article:published_time" content="{self.published_at.isoformat()}"></head><body>'
            f"<main><article><h1>{escape(self.title)}</h1>{body}</article></main></body></html>"
        )


def word(rng):
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((1, 2, 2, 3))))


def sentence(rng, words):
    text = " ".join(word(rng) for _ in range(words))
    return f"{text[0].upper()}{text[1:]}."


def paragraph(rng):
    return " ".join(sentence(rng, rng.randrange(7, 16)) for _ in range(rng.randrange(1, 5)))


def printed_blocks(rng, count=15):
    """Blocks of a made-up language; a third only from some article on, half with small changes."""
    blocks = []
    for number in range(count):
        words = [word(rng) for _ in range(rng.randrange(5, 22))]
        change = ("", "{number}", "", "{date}", "", "{name}", "", "{name} {other}")[number % 8]
        if change == "{name} {other}" and len(words) < 9:
            words += [word(rng) for _ in range(9 - len(words))]
        words.insert(rng.randrange(1, len(words)), change) if change else None
        since = rng.randrange(30, 90) if number % 3 == 2 else 0
        blocks.append(Printed(" ".join(words).capitalize() + ".", rng.choice((1.0, 0.8, 0.6, 0.4)), since))
    return blocks


def made_site(seed, pages=200, count=15, step=timedelta(hours=5)):
    """The pages of a site in the order of their publication."""
    rng = random.Random(seed)
    printed = printed_blocks(rng, count)
    return [made_page(rng, number, printed, STARTED_AT + number * step) for number in range(pages)]


def made_page(rng, number, printed, published_at, true=None):
    """One page: true paragraphs, and each printed block at some place of its own among them."""
    blocks = [(text, True) for text in true or [paragraph(rng) for _ in range(rng.randrange(4, 12))]]
    for block in printed:
        if number >= block.since and rng.random() < block.rate:
            blocks.insert(rng.randrange(len(blocks) + 1), (block.text(rng), False))
    return Page(number, published_at, sentence(rng, 6).rstrip("."), tuple(blocks))
