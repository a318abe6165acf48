"""Measure extraction on a corpus of real pages beside plain trafilatura, and fail when it has become worse.

    python bench/extraction.py [--corpus ../shared/corpus] [--set news] [--half a|b] [--worst 20]

The corpus is a folder with ``gold.jsonl`` (one page a line: ``id, set, url, page, body`` and where known ``title,
authors, published``) and the gzipped pages. Where there is none, nothing is measured and the exit code is 0; it is
1 when a figure is under its floor. What the figures mean stands in ``bench/README.md``.
"""

import argparse
import gzip
import hashlib
import json
import logging
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

SHINGLE = 4
WORD = re.compile(r"\w+")
COLUMNS = ("F1", "P", "R", "pageF1", "exact", "title", "date", "authors", "leak", "lost", "cpu_ms")

FLOORS: Mapping[str, Mapping[str, float]] = {
    "news": {"F1": 0.984, "P": 0.980, "R": 0.985, "pageF1": 0.980, "title": 0.92, "date": 0.98, "authors": 0.90},
    "articles": {"F1": 0.958, "P": 0.956, "R": 0.957, "pageF1": 0.955, "date": 0.885},
}
"""What the package as released reached, less what a change of one page may move."""

CEILINGS: Mapping[str, Mapping[str, float]] = {
    "news": {"leak": 0.42, "lost": 0.7, "cpu_ms": 0.54},
    "articles": {"leak": 0.42, "lost": 0.7, "cpu_ms": 0.54},
}
"""Shares of plain trafilatura's figure in the same run that must not be exceeded."""


@dataclass
class Figures:
    """The figures of one set of pages under one extractor."""

    rows: list[dict[str, float]] = field(default_factory=list)

    def summary(self) -> dict[str, float]:
        """The mean of each figure over the pages that have it, and F1 of the mean P and R."""
        keys = {key for row in self.rows for key in row}
        told = {key: mean(row[key] for row in self.rows if key in row) for key in keys}
        told["F1"] = harmonic(told.get("P", 0.0), told.get("R", 0.0))
        return told


def words(text: str | None) -> list[str]:
    """The words of a text, as the figures count them."""
    return WORD.findall((text or "").lower())


def shingles(tokens: list[str]) -> Counter[tuple[str, ...]]:
    """All runs of four words, with how often each occurs."""
    if len(tokens) < SHINGLE:
        return Counter([tuple(tokens)] if tokens else [])
    return Counter(tuple(tokens[i : i + SHINGLE]) for i in range(len(tokens) - SHINGLE + 1))


def harmonic(precision: float, recall: float) -> float:
    """The harmonic mean; 0 when both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def fold(text: str | None) -> str:
    """A title or a name without case, punctuation and white space."""
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text or "").casefold()))


def score(gold: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, float]:
    """The figures of one page."""
    mine, true = words(answer.get("text")), words(gold["body"])
    found, wanted = shingles(mine), shingles(true)
    common = sum((found & wanted).values())
    precision = common / found.total() if found else float(not wanted)
    recall = common / wanted.total() if wanted else float(not found)
    row = {
        "P": precision,
        "R": recall,
        "pageF1": harmonic(precision, recall),
        "exact": float(mine == true),
        "leak": float((Counter(mine) - Counter(true)).total()),
        "lost": float((Counter(true) - Counter(mine)).total()),
    }
    is_news = gold["set"].startswith("news")
    if gold.get("title") and is_news:
        row["title"] = float(fold(answer.get("title")) == fold(gold["title"]))
    if gold.get("published"):
        row["date"] = float(str(answer.get("published_at") or "")[:10] == gold["published"][:10])
    if gold.get("authors") and is_news:
        want, have = {fold(a) for a in gold["authors"]}, {fold(a) for a in answer.get("authors") or []} - {""}
        row["authors"] = 2 * len(want & have) / (len(want) + len(have))
    return row


def ours(body: bytes, url: str) -> dict[str, Any]:
    """The answer of this package."""
    from pipeline.errors import ExtractError
    from pipeline.extract import PageInput, extract_article
    from pipeline.model import Article

    try:
        found = extract_article(PageInput(body, url))
    except ExtractError:
        return {}
    if not isinstance(found, Article):
        return {}
    published = found.published_at.isoformat() if found.published_at else None
    return {"title": found.title, "authors": found.authors, "published_at": published, "text": found.text}


def plain(body: bytes, url: str) -> dict[str, Any]:
    """The answer of trafilatura alone, in its default mode."""
    import trafilatura

    found = trafilatura.bare_extraction(body, url=url, with_metadata=True)
    if found is None or isinstance(found, dict):
        return {}
    authors = [name.strip() for name in (found.author or "").split(";")]
    return {"title": found.title, "authors": authors, "published_at": found.date, "text": found.text}


EXTRACTORS: Mapping[str, Callable[[bytes, str], dict[str, Any]]] = {"plain trafilatura": plain, "news-pipeline": ours}


def half_of(page: str) -> str:
    """``a`` or ``b``, by the id: rules are written on one half and checked on the other."""
    return "ab"[hashlib.md5(page.encode(), usedforsecurity=False).digest()[0] & 1]


def measure(golds: Iterable[Mapping[str, Any]], folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """The figures of each page by extractor and id, with the CPU time that it took; both read a page in turn.

    In turn, because a busy machine makes everything slower for a while: the ratio is what counts.
    """
    rows: dict[str, dict[str, dict[str, float]]] = {label: {} for label in EXTRACTORS}
    for gold in golds:
        body = gzip.decompress((folder / gold["page"]).read_bytes())
        for label, extract in EXTRACTORS.items():
            start = time.process_time()
            answer = extract(body, gold["url"])
            seconds = time.process_time() - start
            rows[label][gold["id"]] = score(gold, answer) | {"cpu_ms": 1000 * seconds}
    return rows


def failures(name: str, mine: Mapping[str, float], base: Mapping[str, float]) -> list[str]:
    """Every figure of a set that is worse than pinned."""
    low = [
        f"{name}: {key} {mine[key]:.3f} is under its floor {floor}"
        for key, floor in FLOORS.get(name, {}).items()
        if mine[key] < floor
    ]
    high = [
        f"{name}: {key} {mine[key]:.1f} is over {share:g} of plain trafilatura's {base[key]:.1f}"
        for key, share in CEILINGS.get(name, {}).items()
        if mine[key] > share * base[key]
    ]
    return low + high


def line(label: str, figures: Mapping[str, float]) -> str:
    """One row of the table."""
    cells = [
        f"{figures[key]:8.1f}" if key in ("leak", "lost", "cpu_ms") else f"{figures[key]:8.3f}"
        for key in COLUMNS
        if key in figures
    ]
    return f"{label:20s}" + "".join(cells)


def report(golds: list[dict[str, Any]], folder: Path, worst: int) -> list[str]:
    """Print the table of each set; returns what fell under its floor."""
    bad: list[str] = []
    rows = measure(golds, folder)
    for name in sorted({gold["set"] for gold in golds}):
        ids = [gold["id"] for gold in golds if gold["set"] == name]
        base, mine = (Figures([rows[label][page] for page in ids]).summary() for label in EXTRACTORS)
        print(f"{name} ({len(ids)} pages)".ljust(20) + "".join(f"{key:>8s}" for key in COLUMNS if key in mine))
        print(line("  plain trafilatura", base))
        print(line("  news-pipeline", mine))
        print(f"  CPU: {mine['cpu_ms'] / base['cpu_ms']:.2f} of plain trafilatura's")
        bad += failures(name, mine, base)
        for page in sorted(ids, key=lambda page: rows["news-pipeline"][page]["pageF1"])[:worst]:
            row = rows["news-pipeline"][page]
            print(f"    {row['pageF1']:.3f} leak={row['leak']:.0f} lost={row['lost']:.0f} {page}")
    return bad


def main() -> int:
    """Measure, print, and say by the exit code whether the floors hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "corpus")
    parser.add_argument("--set", action="append", help="only this set (repeatable)")
    parser.add_argument("--half", choices=("a", "b"), help="only this half of the pages; floors are not checked then")
    parser.add_argument("--worst", type=int, default=0, help="list the N worst pages of each set")
    args = parser.parse_args()
    gold_file = args.corpus / "gold.jsonl"
    if not gold_file.exists():
        print(f"no corpus at {args.corpus}: nothing measured")
        return 0
    logging.disable(logging.CRITICAL)
    golds = [json.loads(text) for text in gold_file.open(encoding="utf-8")]
    golds = [g for g in golds if (not args.set or g["set"] in args.set) and args.half in (None, half_of(g["id"]))]
    bad = report(golds, args.corpus, args.worst)
    if args.half:
        return 0
    print("\n".join(bad) or "all figures hold their floors")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
