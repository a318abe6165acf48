"""List the sentences of stories that cleaning would remove, over gold text alone; fail when there are too many.

    python -m bench.true_sentences [--corpus ../shared/corpus]

Gold text is what belongs to the articles, so that every paragraph of it that a phrase or a shape removes is one too
many, or no part of the story that people have left in. Where there is no corpus, nothing is measured.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipeline.clean import judge_paragraphs, reason_of
from pipeline.clean.phrases import shape_of

MAX_REMOVED = 55
"""Sentences among 64,000 paragraphs that may go. Those that still do are notices that the gold text holds (disclosures,
notes on the author at the end, “Read our full review.”, “Click here to …”): no part of what a story tells."""

_SENTENCE = re.compile(r"^\W*\w.*\w.*[.。।۔][\"'”’»)\]]*\s*$", re.DOTALL)


def removed_from(corpus: Path) -> Iterator[tuple[str, str, str]]:
    """Page, reason and text of each paragraph of gold text that is removed."""
    files = [corpus / "gold.jsonl", corpus / "more" / "features.jsonl", corpus / "more" / "passages.jsonl"]
    for file in filter(Path.exists, files):
        for line in file.open(encoding="utf-8"):
            gold = json.loads(line)
            if gold.get("body"):
                texts = [text.strip() for text in gold["body"].split("\n") if text.strip()]
                reasons = judge_paragraphs(texts, title=gold.get("title"))
            else:  # passages, which do not stand in a row
                texts = gold.get("with", [])
                reasons = [shape_of(text) or reason_of(text) for text in texts]
            yield from ((gold["id"], reason, text) for text, reason in zip(texts, reasons, strict=True) if reason)


def main() -> int:
    """Print what goes, and say by the exit code whether it is few enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "corpus")
    args = parser.parse_args()
    if not (args.corpus / "gold.jsonl").exists():
        print(f"no corpus at {args.corpus}: nothing measured")
        return 0
    sentences = [
        (page, reason, text)
        for page, reason, text in removed_from(args.corpus)
        if _SENTENCE.match(text) and reason not in ("title", "duplicate") and len(text.split()) >= 4
    ]
    for page, reason, text in sorted(sentences, key=lambda found: found[1:]):
        print(f"{reason:13s} {page}  {text[:150]}")
    print(len(sentences), "sentences:", dict(Counter(reason for _, reason, _ in sentences)))
    return int(len(sentences) > MAX_REMOVED)


if __name__ == "__main__":
    sys.exit(main())
