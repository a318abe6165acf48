"""Make ``pipeline/extract/forest.json`` anew from a corpus of pages with gold text.

    python -m bench.train_forest --corpus ../shared/corpus [--more features] [--folds 4] [--plain] [--write]

Needs LightGBM and numpy, which the package itself does not. Pages are split by host, so that a fold is always measured
on sites that its forest has not seen; what is written in the end is made from all pages. A block is labelled by whether
its words stand in the gold text, aligned in order; it weighs as much as its words do on its page.
"""

import argparse
import gzip
import hashlib
import json
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from bench.extraction import Figures, half_of, line, plain, score
from pipeline.errors import ExtractError
from pipeline.extract import PageInput, explain_article
from pipeline.extract.blocks import segment_page
from pipeline.extract.body import THRESHOLD
from pipeline.extract.element_names import mark_names
from pipeline.extract.features import FEATURES, features_of
from pipeline.extract.forest import GLANCE, Forest, read_forest
from pipeline.extract.page_context import REPORT, TextHints, declared_of
from pipeline.html.decode import parse_html
from pipeline.html.structured_data import read_structured
from pipeline.metadata import read_metadata
from pipeline.model import Article
from pipeline.urls import site_of

WORD = re.compile(r"\w+")
RUN = 4  # words in a row that tie a block to a place in the gold text
ROUNDS = 90
SETTINGS = {
    "objective": "binary",
    "num_leaves": 20,
    "learning_rate": 0.11,
    "min_data_in_leaf": 60,
    "min_sum_hessian_in_leaf": 5,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "verbose": -1,
    "seed": 2,
    "deterministic": True,
    "num_threads": 1,
}
NAMES = tuple(FEATURES)

WEIGHTS = {"news": 3.0, "features": 0.7, "passages": 1.0}
"""Pages of newspapers count threefold: they are what the package is for, and there are fewer of them. What features
have as their text holds captions, too."""

PASSAGES_SIZE = 250
"""Words that a page is taken to have of which only passages are known."""

BLUR = 0.15
"""Chance for each sign of a page to be hidden from the forest."""

TRUE_WEIGHT = {True: 0.82, False: 1.0}
"""Weight of blocks of the body, on pages that declare a report and on others. With it the threshold of 0.47 decides
where 0.52 would without on reports: the boxes and lists around them cost more than they bring."""

_SIGNS: tuple[dict[str, float], ...] = (
    *(
        {name: 0.0 for name in (f"any_{mark}", f"own_{mark}") if name in NAMES}
        for mark in mark_names()
        if not mark.startswith(("in_", "is_"))
    ),
    dict.fromkeys(("in_body", "body_prose", "in_content", "content_prose"), -1.0),
    {"body_share": -1.0, "body_cover": -1.0, "body_ratio": 0.0},
    {"description": -1.0},
    {"declared": 0.0},
)
"""What a page may hide, with the values of features where it does."""


@dataclass
class Sample:
    """One page: its blocks with features and labels. Blocks that are menus at a glance have no row."""

    gold: dict[str, Any]
    rows: np.ndarray
    blurred: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    fold: int


def words(text: str) -> list[str]:
    """The words of a text, folded."""
    return WORD.findall(text.lower())


def labels_of(blocks: list[str], gold: str) -> list[bool]:
    """For each block whether it stands in the gold text: long ones by runs of words, short ones between long ones."""
    true = words(gold)
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for start in range(len(true) - RUN + 1):
        places[tuple(true[start : start + RUN])].append(start)
    used = [False] * len(true)
    spans: list[tuple[int, int] | None] = [_long_span(words(block), places, used) for block in blocks]
    following, after = len(true), [0] * len(blocks)
    for index in range(len(blocks) - 1, -1, -1):
        after[index] = following
        span = spans[index]
        following = span[0] if span else following
    position = 0
    for index, block in enumerate(blocks):
        span = spans[index] or _short_span(words(block), true, used, position, after[index])
        spans[index] = span
        position = max(position, span[1]) if span else position
    return [span is not None for span in spans]


def labels_of_passages(blocks: list[str], gold: dict[str, Any]) -> list[bool | None]:
    """The same where only passages are known that the text holds, or does not hold; None for all other blocks."""
    folded = [" ".join(words(block)) for block in blocks]

    def has(names: str) -> list[bool]:
        passages = [passage for text in gold[names] if len(passage := " ".join(words(text))) > 3]
        return [any(one in block or (len(block) > 40 and block in one) for one in passages) for block in folded]

    return [None if yes == no else yes for yes, no in zip(has("with"), has("without"), strict=True)]


def _long_span(tokens: list[str], places: dict[tuple[str, ...], list[int]], used: list[bool]) -> tuple[int, int] | None:
    if len(tokens) <= RUN:
        return None
    runs = [
        (offset, places.get(tuple(tokens[offset : offset + RUN]), [])[:20]) for offset in range(len(tokens) - RUN + 1)
    ]
    votes = Counter(place - offset for offset, found in runs for place in found)
    if not votes:
        return None
    best = votes.most_common(1)[0][0]
    hits = [(o, p) for o, found in runs for p in found if abs(p - o - best) <= 6 and not used[p]]
    matched = {offset + step for offset, _ in hits for step in range(RUN)}
    if len(matched) <= 0.5 * len(tokens):
        return None
    start, end = min(p for _, p in hits), max(p for _, p in hits) + RUN
    used[start:end] = [True] * (end - start)
    return start, end


def _short_span(tokens: list[str], true: list[str], used: list[bool], low: int, high: int) -> tuple[int, int] | None:
    size = len(tokens)
    if not 0 < size <= RUN:
        return None
    for start in range(low, min(high - size, low + 400) + 1):
        if true[start : start + size] == tokens and not any(used[start : start + size]):
            used[start : start + size] = [True] * size
            return start, start + size
    return None


def sample_of(gold: dict[str, Any], folder: Path, folds: int) -> Sample:
    """The features and labels of one page."""
    document = parse_html(gzip.decompress((folder / gold["page"]).read_bytes()))
    structured = read_structured(document.tree, gold["url"])
    metadata = read_metadata(document.tree, gold["url"], structured)
    layout = segment_page(document.tree)
    hints = TextHints(metadata.title, metadata.description, structured.article_body, metadata.kind)
    index, found = features_of(layout, hints)
    texts = [block.text for block in layout.blocks]
    labels: list[bool | None] = [*labels_of(texts, gold["body"])] if "body" in gold else labels_of_passages(texts, gold)
    is_told = np.array([labels[place] is not None for place in index], dtype=bool)
    rows = np.array(found, dtype=np.float32).reshape(len(NAMES), -1).T[is_told]
    seen = [place for place in index if labels[place] is not None]
    true = np.array([labels[index] for index in seen], dtype=bool)
    size = max(50, len(words(gold["body"]))) if "body" in gold else PASSAGES_SIZE
    host = site_of(gold["url"])
    weights = np.array([min(0.5, (len(words(layout.blocks[index].text)) + 6) / size) for index in seen])
    weights *= WEIGHTS.get(gold["set"], 1.0)
    weights *= np.where(true, TRUE_WEIGHT[declared_of(hints.kind) == REPORT], 1.0)
    return Sample(
        gold,
        rows,
        blurred(rows, gold["id"]),
        true,
        weights,
        int(hashlib.md5(host.encode(), usedforsecurity=False).hexdigest(), 16) % folds,
    )


def fit(samples: list[Sample], columns: list[int]) -> lightgbm.Booster:
    """A forest from these pages, over some of the features."""
    told = lightgbm.Dataset(
        np.vstack([sample.blurred[:, columns] for sample in samples]),
        np.concatenate([sample.labels for sample in samples]),
        weight=np.concatenate([sample.weights for sample in samples]) * 1000,
    )
    return lightgbm.train(SETTINGS, told, ROUNDS)


def blurred(rows: np.ndarray, page: str) -> np.ndarray:
    """The rows of a page that says less of itself: without some of its names, and at times without what it declares.

    Another site names its parts otherwise, or not at all. A forest that has seen every sign missing on some pages leans
    on none of them, and does better on sites that it has not seen. The same for the same page, always.
    """
    chance = np.random.default_rng(int(hashlib.md5(page.encode(), usedforsecurity=False).hexdigest()[:8], 16))
    rows = rows.copy()
    for group in _SIGNS:
        if chance.random() < BLUR:
            for name, value in group.items():
                rows[:, NAMES.index(name)] = value
    return rows


def to_json(model: lightgbm.Booster, samples: list[Sample], columns: list[int]) -> str:
    """The form that `pipeline.extract.forest` reads."""
    rows = np.vstack([sample.rows[:, columns] for sample in samples])
    kept = model.predict(rows) > THRESHOLD
    hopeless = model.predict(rows, raw_score=True, num_iteration=GLANCE)[kept].min()
    trees = [tree_of(tree["tree_structure"]) for tree in model.dump_model()["tree_info"]]
    told = {"names": [NAMES[column] for column in columns], "hopeless": round(float(hopeless), 3), "trees": trees}
    return json.dumps(told, separators=(",", ":"))


def tree_of(node: dict[str, Any]) -> list[Any] | float:
    """A tree of LightGBM as ``[feature, threshold, left, right]`` or a number."""
    if "leaf_value" in node:
        return round(node["leaf_value"], 4)
    return [
        node["split_feature"],
        float(f"{node['threshold']:.6g}"),
        tree_of(node["left_child"]),
        tree_of(node["right_child"]),
    ]


def cross_validate(
    samples: list[Sample], columns: list[int], folds: int, corpus: Path, out: Path | None
) -> dict[str, dict[str, float]]:
    """The figures of each page by its id, read on sites that were not seen, and without the rules of sites."""
    rows: dict[str, dict[str, float]] = {}
    for fold in range(folds):
        others = [sample for sample in samples if sample.fold != fold]
        told = to_json(fit(others, columns), others, columns)
        if out:
            (out / f"forest{fold}.json").write_text(told)
        forest = read_forest(told)
        for sample in samples:
            if sample.fold == fold:
                answer = answer_of(sample.gold, corpus, forest)
                if out:
                    with (out / "answers.jsonl").open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"id": sample.gold["id"]} | answer) + "\n")
                if "body" in sample.gold:
                    rows[sample.gold["id"]] = score(sample.gold, answer)
    return rows


def answer_of(gold: dict[str, Any], corpus: Path, forest: Forest) -> dict[str, Any]:
    """What the whole package makes of a page with this forest."""
    body = gzip.decompress((corpus / gold["page"]).read_bytes())
    try:
        found = explain_article(PageInput(body, gold["url"], rules_dir=None), forest=forest).outcome
    except ExtractError:
        return {}
    if not isinstance(found, Article):
        return {}
    published = found.published_at.isoformat() if found.published_at else None
    return {"title": found.title, "authors": found.authors, "published_at": published, "text": found.text}


def report(golds: list[dict[str, Any]], corpus: Path, mine: dict[str, dict[str, float]], *, beside: bool) -> None:
    """Print the figures of each set and half, beside plain trafilatura's where that is wanted."""
    read: dict[str, dict[str, dict[str, float]]] = {"unseen sites": mine}
    if beside:
        bodies = ((gold, gzip.decompress((corpus / gold["page"]).read_bytes())) for gold in golds)
        read = {"trafilatura": {g["id"]: score(g, plain(body, g["url"])) for g, body in bodies}} | read
    for name in sorted({gold["set"] for gold in golds if "body" in gold}):
        for half in ("a", "b", "ab"):
            ids = [gold["id"] for gold in golds if gold["set"] == name and half_of(gold["id"]) in half]
            for label, rows in read.items():
                print(line(f"{name} {half} {label}"[:26].ljust(27), Figures([rows[page] for page in ids]).summary()))


def read_golds(file: Path) -> Iterator[dict[str, Any]]:
    """The pages of a file, their places beside the corpus."""
    folder = file.parent.name if file.parent.name == "more" else ""
    for text in file.open(encoding="utf-8"):
        gold = json.loads(text)
        yield gold | {"page": str(Path(folder) / gold["page"])}


def main() -> None:
    """Measure by cross-validation; with ``--write`` make the forest of all pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--more", action="append", help="learn from this set of corpus/more, too (repeatable)")
    parser.add_argument("--folds", type=int, default=4, help="parts by host for the cross-validation; 0: none")
    parser.add_argument("--keep", type=float, default=0.0002, help="least share of the gain that a feature must bring")
    parser.add_argument("--plain", action="store_true", help="print plain trafilatura's figures as well")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--out", type=Path, help="folder for the forests of the folds, and the answers with them")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    golds = [*read_golds(args.corpus / "gold.jsonl")]
    for name in args.more or ():
        golds += read_golds(args.corpus / "more" / f"{name}.jsonl")
    samples = [sample_of(gold, args.corpus, max(1, args.folds)) for gold in golds]
    gains = fit(samples, list(range(len(NAMES)))).feature_importance("gain")
    columns = [column for column, gain in enumerate(gains) if gain > args.keep * gains.sum()]
    print(len(columns), "features:", ", ".join(NAMES[column] for column in columns))
    if args.folds:
        report(
            golds, args.corpus, cross_validate(samples, columns, args.folds, args.corpus, args.out), beside=args.plain
        )
    if args.write:
        target = Path(__file__).resolve().parent.parent / "pipeline" / "extract" / "forest.json"
        target.write_text(to_json(fit(samples, columns), samples, columns))


if __name__ == "__main__":
    main()
