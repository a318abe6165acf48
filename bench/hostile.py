"""Read pages made to break the reader, and fail on a crash, on a slow page or on too much memory.

    python -m bench.hostile [--corpus ../shared/corpus] [--mutants 2000] [--seed 1] [--only NAME]

Two parts. Shapes: pages of up to 20 MB, each in a process of its own, an article hidden in the middle of most of them.
Mutants: pages of the corpus (of the sample newsroom, where there is none) with bytes flipped, cut, doubled, moved,
spliced with another page's, in mixed encodings. Every page must be an article, a reason why there is none, or an
`ExtractError`, within 10 seconds of CPU and 1 GiB; the same bytes must give the same answer again. The exit code is 1
otherwise.
"""

import argparse
import gzip
import html
import json
import multiprocessing
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from examples.newsroom.pages import render_page
from examples.newsroom.source import load
from pipeline.errors import ExtractError
from pipeline.extract import PageInput, extract_article
from pipeline.model import Article

URL = "https://news.example/2026/03/harbour.html"
MAX_SECONDS = 10.0
"""CPU time that a page may take: the acceptance of the project, a third of what production gives one."""

MAX_MIB = 1024
"""Memory that the process of a page may grow to."""

MEGABYTE = 2**20
SENTENCE = "The harbour board decided on Tuesday to keep the old ferry running until the new bridge opens in spring. "
ARTICLE = f"<article><h1>Ferry stays until spring</h1>{''.join(f'<p>{SENTENCE * 3}</p>' for _ in range(6))}</article>"


class Ended(NamedTuple):
    """What became of a page: the outcome in a word, seconds of CPU, and the peak of the process in MiB."""

    outcome: str
    seconds: float
    peak_mib: float


def around(before: str, after: str = "") -> bytes:
    """A page with the article behind something and before something else."""
    return f"<html><head><title>Ferry stays</title></head><body>{before}{ARTICLE}{after}</body></html>".encode()


def everywhere(text: str) -> bytes:
    """A page that has this text wherever something is read from."""
    told = html.escape(text)
    names = ("author", "description", "og:title", "og:url", "article:published_time", "article:tag", "robots", "date")
    node = {"@type": "NewsArticle", "headline": text, "author": text, "datePublished": text, "articleBody": text}
    head = (
        f"<title>{told}</title><link rel=canonical href='{told}'>"
        + "".join(f"<meta name='{name}' property='{name}' content='{told}'>" for name in names)
        + f"<script type='application/ld+json'>{json.dumps(node)}</script>"
    )
    body = "".join(
        f"<{tag} class='{name}' itemprop='{name}' title='{told}' href='{told}' datetime='{told}'>{told}</{tag}>"
        for tag, name in (("h1", "headline"), ("p", "author byline"), ("a", "author"), ("time", "date"), ("p", "date"))
    )
    return f"<html lang='{told}'><head>{head}</head><body>{body}{ARTICLE}<p>{told}</p></body></html>".encode()


def times(text: str, size: int) -> str:
    """The text again and again, of about this many characters."""
    return text * (size // len(text))


def shapes(size: int, part: int = MEGABYTE) -> Mapping[str, Callable[[], bytes]]:
    """Makers of pages by name, the larger ones of about ``size`` bytes, others with a part of ``part`` bytes."""
    nest = size // 11
    return {
        "nested div": lambda: around("<div>" * nest, "</div>" * nest),
        "nested span, never closed": lambda: around(times("<span>", size)),
        "nested b and i, crossed": lambda: around(times("<b><i></b>", size)),
        "nested tables": lambda: around(times("<table><tr><td>", size)),
        "nested lists": lambda: around(times("<ul><li>x", size)),
        "nested a": lambda: around(times("<a href=x>", size)),
        "nested font in p": lambda: around(times("<p><font>", size)),
        "attribute of 1 MB": lambda: around(f'<div data-state="{times("x", part)}">'),
        "20 attributes of 1 MB": lambda: around("".join(f'<p title="{times("a b ", part)}">' for _ in range(20))),
        "class of 1 MB": lambda: around(f'<div class="{times("related share ", part)}">{SENTENCE}</div>'),
        "1 MB of attributes": lambda: around("<div " + " ".join(f"a{n}=1" for n in range(part // 8)) + ">"),
        "many attributes, many tags": lambda: around(
            times("<p " + " ".join(f"a{n}=1" for n in range(90)) + ">x", size)
        ),
        "attribute never closed": lambda: around('<div class="' + times("x ", size)),
        "paragraphs": lambda: around(times(f"<p>{SENTENCE}</p>", size)),
        "the same short paragraph": lambda: around(times("<p>Read more</p>", size)),
        "different short paragraphs": lambda: around("".join(f"<p>Line {n} of it.</p>" for n in range(size // 24))),
        "one paragraph": lambda: around(f"<p>{times(SENTENCE, size)}</p>"),
        "one word": lambda: around(f"<p>{times('x', size)}</p>"),
        "line breaks": lambda: around(times("word<br>", size)),
        "links": lambda: around("".join(f'<a href="/n/{n}">Ferry news {n}</a> ' for n in range(size // 34))),
        "list items": lambda: around("<ul>" + "".join(f"<li>Item {n}" for n in range(size // 14))),
        "table cells": lambda: around("<table>" + times("<tr><td>1<td>2<td>3", size)),
        "headings": lambda: around("".join(f"<h2>Heading {n}</h2>" for n in range(size // 22))),
        "articles in a row": lambda: around(times(ARTICLE, size)),
        "articles in each other": lambda: around(times(f"<article><p>{SENTENCE}</p>", size)),
        "blanks": lambda: around(times(" ", size)),
        "entities": lambda: around(f"<p>{times('&amp;&nbsp;&#x1F600;', size)}</p>"),
        "entities that are none": lambda: around(f"<p>{times('&&#&#x;&foo', size)}</p>"),
        "NUL bytes": lambda: around(times("\0", size)),
        "NUL between letters": lambda: "\0".join(around("").decode()).encode(),
        "control characters": lambda: around(f"<p>{times(''.join(map(chr, range(1, 32))), size)}</p>"),
        "angle brackets": lambda: around(times("<", size)),
        "tags never closed": lambda: around(times("<p class=x ", size)),
        "tags never closed, quotes": lambda: around(times("<p class='x ", size)),
        "comments": lambda: around(times("<!-- x -->", size)),
        "comment never closed": lambda: around("<!--" + times(" x", size)),
        "script never closed": lambda: around("<script>" + times("if (a<b) ", size)),
        "JSON-LD, nested": lambda: around('<script type="application/ld+json">' + times('{"a":[', size) + "</script>"),
        **{
            f"JSON-LD, {name}": lambda inside=inside: around(
                f'<script type="application/ld+json">{{"@type":"NewsArticle","headline":"Ferry",{inside}}}</script>'
            )
            for name, inside in {
                "blanks": times(" ", part * 6 // 7),
                "comments never closed": times("/*", part * 6 // 7),
                "quotes": times('"', part * 6 // 7),
                "commas": times(", ", part * 6 // 7),
                "backslashes": times("\\", part * 6 // 7),
                "wrappers": times("<!-- ", part * 6 // 7),
                "ends of wrappers": times("-->", part * 6 // 7),
                "entities": times("{&quot;", part * 6 // 7),
            }.items()
        },
        **{
            f"everywhere: {name}": lambda text=text: everywhere(times(text, part // 4))
            for name, text in {
                "blanks": " \t",
                "by": "By ",
                "by and": "by Ada and ",
                "dashes": " - | ",
                "digits": "1 2026 ",
                "dates": "3 March 2026 10:15 ",
                "capitals": "Ab ",
                "brackets": "([{",
                "at": "a@b. ",
                "slashes": "/2026/03/",
                "colons": "a: ",
                "quotes": "\u201e\u201c\u00bb\u00ab ",
                "commas": "Ada, ",
                "dots": "...",
            }.items()
        },
        "JSON-LD, long": lambda: around(
            '<script type="application/ld+json">'
            + json.dumps({"@type": "NewsArticle", "headline": "Ferry", "articleBody": times(SENTENCE, size)})
            + "</script>"
        ),
        "JSON-LD, many": lambda: around(
            times('<script type="application/ld+json">{"@type":"NewsArticle","headline":"x"}</script>', size)
        ),
        "meta elements": lambda: around("", "") + times('<meta property="article:tag" content="x">', size).encode(),
        "dates": lambda: around(times("<p>Published 3 March 2026, 10:15</p>", size)),
        "by-lines": lambda: around(times('<p class="byline author">By Ada Lovelace and Grace Hopper</p>', size)),
        "addresses in text": lambda: around(f"<p>{times('@a.b http://c.example/x?y=z ', size)}</p>"),
        "svg": lambda: around("<svg>" + times('<path d="M0 0L1 1"/>', size) + "</svg>"),
        "template and noscript": lambda: around(times("<template><noscript><p>x</noscript></template>", size)),
        "forms": lambda: around(times("<form><select><option>x", size)),
        "UTF-16": lambda: around(times(SENTENCE, size // 2)).decode().encode("utf-16"),
        "UTF-16, odd": lambda: around(times(SENTENCE, size // 2)).decode().encode("utf-16")[:-1],
        "mixed encodings": lambda: (
            around(f"<p>{times('é', 1000)}</p>") + "Grüße, слово".encode("cp1251", "replace") * 5000
        ),
        "all bytes": lambda: around("") + bytes(range(256)) * (size // 256),
        "noise": lambda: random.Random(1).randbytes(size),
        "noise of markup": lambda: noise(size),
        "empty": lambda: b"",
        "blank": lambda: b" \n",
        "a bracket": lambda: b"<",
    }


def noise(size: int) -> bytes:
    """Tags in no order."""
    chance = random.Random(2)
    tags = ("div", "p", "a", "li", "ul", "td", "tr", "table", "h1", "h2", "article", "section", "b", "br", "img", "em")
    parts = (
        f"<{'/' * chance.randrange(2)}{chance.choice(tags)}>{'word ' * chance.randrange(4)}" for _ in range(size // 14)
    )
    return "".join(parts).encode()


def mutants(pages: list[bytes], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Pages of which something was broken, each with what was done to it."""
    chance = random.Random(seed)
    for number in range(count):
        page, other = bytearray(chance.choice(pages)), chance.choice(pages)
        done = []
        for _ in range(chance.randint(1, 4)):
            way, change = chance.choice(list(WAYS.items()))
            page = bytearray(change(page, other, chance))
            done.append(way)
        yield f"mutant {number}: {', '.join(done)}", bytes(page)


def _flip(page: bytearray, _: bytes, chance: random.Random) -> bytes:
    for _ in range(max(1, len(page) // chance.choice((20, 200, 5000)))):
        if page:
            page[chance.randrange(len(page))] = chance.randrange(256)
    return page


def _span(page: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(page))
    return start, min(len(page), start + chance.randint(0, max(1, len(page) // 3)))


def _move(page: bytearray, _: bytes, chance: random.Random) -> bytes:
    (start, end), to = _span(page, chance), chance.randint(0, len(page))
    part = page[start:end]
    return page[:start][:to] + part + page[:start][to:] + page[end:]


def _double(page: bytearray, _: bytes, chance: random.Random) -> bytes:
    start, end = _span(page, chance)
    return page[:start] + page[start:end] * chance.randint(2, 5) + page[end:]


def _drop(page: bytearray, _: bytes, chance: random.Random) -> bytes:
    start, end = _span(page, chance)
    return page[:start] + page[end:]


def _splice(page: bytearray, other: bytes, chance: random.Random) -> bytes:
    return page[: chance.randint(0, len(page))] + other[chance.randint(0, len(other)) :]


def _without(what: bytes) -> Callable[[bytearray, bytes, random.Random], bytes]:
    return lambda page, _, chance: b"".join(
        part if chance.random() < 0.1 else part[: -len(what)] for part in page.split(what) if part
    )


def _recode(page: bytearray, _: bytes, chance: random.Random) -> bytes:
    start, end = _span(page, chance)
    name = chance.choice(("latin-1", "cp1251", "utf-16", "shift_jis", "utf-8"))
    return page[:start] + page[start:end].decode("utf-8", "replace").encode(name, "replace") + page[end:]


WAYS: Mapping[str, Callable[[bytearray, bytes, random.Random], bytes]] = {
    "bytes flipped": _flip,
    "part moved": _move,
    "part doubled": _double,
    "part dropped": _drop,
    "cut": lambda page, _, chance: page[: chance.randint(0, len(page))],
    "spliced": _splice,
    "brackets lost": _without(b">"),
    "quotes lost": _without(b'"'),
    "end tags lost": lambda page, _, __: page.replace(b"</", b"<"),
    "recoded": _recode,
    "NUL bytes": lambda page, _, chance: page.replace(b" ", b"\0", chance.randint(1, 500)),
}


def read(body: bytes) -> Ended:
    """Read a page twice; the outcome in a word, with the CPU time of the first time."""
    began = time.process_time()
    outcome = answer(body)
    seconds = time.process_time() - began
    if seconds < 1 and answer(body) != outcome:
        outcome = "DIFFERENT THE SECOND TIME"
    word = outcome if isinstance(outcome, str) else "article" if isinstance(outcome, Article) else outcome.reason
    return Ended(word, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def answer(body: bytes):
    """What `extract_article` returns; a refusal or a crash as a word."""
    try:
        return extract_article(PageInput(body, URL))
    except ExtractError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001  # what is looked for
        return f"CRASH {type(error).__name__}: {error}"


def _read_shape(name: str, size: int) -> Ended:
    return read(shapes(size)[name]())


def is_bad(ended: Ended) -> bool:
    """Whether this must not happen."""
    return ended.outcome.startswith(("CRASH", "DIFFERENT")) or ended.seconds > MAX_SECONDS or ended.peak_mib > MAX_MIB


def try_shapes(size: int, only: str) -> int:
    """Print what becomes of each shape; the number that must not be."""
    bad = 0
    print(f"{'shape':32s}{'outcome':24s}{'CPU s':>8s}{'MiB':>8s}")
    for name in shapes(size):
        if only not in name:
            continue
        # A process each, so that the peak is the page's own and a crash of C code is seen.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            ended = pool.apply(_read_shape, (name, size))
        bad += is_bad(ended)
        print(
            f"{name:32s}{ended.outcome:24s}{ended.seconds:8.2f}{ended.peak_mib:8.0f}{' BAD' * is_bad(ended)}",
            flush=True,
        )
    return bad


def try_mutants(pages: list[bytes], count: int, seed: int) -> int:
    """Print how the mutants came out; the number that must not be."""
    outcomes: Counter[str] = Counter()
    bad, slowest = 0, 0.0
    for name, body in mutants(pages, count, seed):
        ended = read(body)
        outcomes[ended.outcome] += 1
        slowest = max(slowest, ended.seconds)
        if is_bad(ended):
            bad += 1
            print(f"BAD {name}: {ended.outcome}, {ended.seconds:.1f} s")
    print(f"{count} mutants of {len(pages)} pages, the slowest {slowest:.2f} s:")
    print("  " + ", ".join(f"{outcome} {number}" for outcome, number in outcomes.most_common()))
    return bad


def sample_pages(corpus: Path) -> list[bytes]:
    """Real pages where there are some, else those of the sample newsroom."""
    if (corpus / "gold.jsonl").exists():
        return [gzip.decompress(path.read_bytes()) for path in sorted((corpus / "pages").rglob("*.gz"))]
    return newsroom_pages()


def newsroom_pages() -> list[bytes]:
    """The pages of the sample newsroom."""
    sites = load(1, datetime(2026, 10, 22, tzinfo=UTC)).values()
    return [render_page(site, article, 8650).encode() for site in sites for article in site.articles.values()]


def main() -> int:
    """Try all, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "corpus")
    parser.add_argument("--size", type=int, default=20, help="megabytes of the large shapes (default: 20)")
    parser.add_argument("--mutants", type=int, default=2000, help="how many mutants (default: 2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only shapes with this in their name, and no mutants")
    args = parser.parse_args()
    bad = try_shapes(args.size * MEGABYTE, args.only)
    if not args.only:
        bad += try_mutants(sample_pages(args.corpus), args.mutants, args.seed)
    print("all is well" if not bad else f"{bad} BAD")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
