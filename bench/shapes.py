"""Measure how the kinds of paragraphs agree with the tags of the pages, on a sample of a corpus of real pages.

    python -m bench.shapes [--corpus ../shared/corpus] [--pages 100] [--seed 1] [--worst 20]

The other side is read from the pages by itself: what an HTML parser has as headings, entries of lists, quotations,
code and captions. A text that stands in several places may be what it is in any of them.
"""

import argparse
import gzip
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from lxml import html

from pipeline.extract import PageInput, extract_article
from pipeline.model import Article
from pipeline.text.shape import iterate_blocks

KINDS = {
    **{f"h{level}": f"heading {level}" for level in range(1, 7)},
    **dict.fromkeys(("li", "dt", "dd"), "item"),
    "blockquote": "quote",
    "pre": "code",
    "figcaption": "caption",
    "caption": "caption",
}
PARTS = (*KINDS, "tr", "p", "div", "ul", "ol", "dl", "table", "section", "article", "figure", "aside")


def fold(text: str) -> str:
    """The letters and digits of a text."""
    return "".join(filter(str.isalnum, text))


def read_declared(page: bytes, url: str) -> Iterator[tuple[str, str]]:
    """Text and kind of each innermost block, and of what stands in a block before the first one within it."""
    tree = html.fromstring(page, base_url=url)
    for script in tree.xpath("//script|//style"):
        script.drop_tree()
    for element in tree.iter(*PARTS):
        inner = next(element.iterdescendants(*PARTS), None)
        text = "".join(element.itertext()) if inner is None else _before(element)
        around = (str(each.tag) for each in (element, *element.iterancestors()))
        if fold(text):
            other = "row" if element.tag == "tr" else "paragraph"
            yield fold(text), next((KINDS[tag] for tag in around if tag in KINDS), other)


def _before(element: html.HtmlElement) -> str:
    parts = [element.text or ""]
    for child in element:
        if child.tag in PARTS or next(child.iterdescendants(*PARTS), None) is not None:
            break
        parts += ["".join(child.itertext()) if isinstance(child.tag, str) else "", child.tail or ""]
    return "".join(parts)


def judge_page(page: bytes, url: str) -> Iterator[tuple[str, str, str]]:
    """For each paragraph of a page's article: its kind by the tags, its kind as read, its text."""
    found = extract_article(PageInput(page, url))
    if not isinstance(found, Article):
        return
    declared = defaultdict(set)
    for text, kind in read_declared(page, url):
        declared[text].add(kind)
    for block in iterate_blocks(found.text, found.shape):
        kind = f"heading {block.level}" if block.kind == "heading" else str(block.kind)
        kinds = declared.get(fold(block.text), {"in no tag"})
        yield kind if kind in kinds else min(kinds), kind, block.text


def main() -> None:
    """Print for each kind how many paragraphs have it by the tags, and how many of these were read as that."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpus"))
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worst", type=int, default=0, help="print so many paragraphs that were read otherwise")
    options = parser.parse_args()
    rows = [json.loads(line) for line in (options.corpus / "gold.jsonl").open(encoding="utf-8")]
    sample = random.Random(options.seed).sample(rows, min(options.pages, len(rows)))
    judged = [
        (row["id"], *told)
        for row in sample
        for told in judge_page(gzip.decompress((options.corpus / row["page"]).read_bytes()), row["url"])
    ]
    total = Counter(wanted for _, wanted, _, _ in judged)
    right = Counter(wanted for _, wanted, kind, _ in judged if wanted == kind)
    for kind, count in sorted(total.items()):
        print(f"{kind:10} {count:6} by the tags, {right[kind]:6} read as that, {right[kind] / count:.1%}")
    for page, wanted, kind, text in [told for told in judged if told[1] not in (told[2], "in no tag")][: options.worst]:
        print(f"{page}: {wanted}, read as {kind}: {text[:80]}")


if __name__ == "__main__":
    main()
