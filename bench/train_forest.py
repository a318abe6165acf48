"""Make ``pipeline/extract/forest.json`` anew from a corpus of pages with gold text.

    python bench/train_forest.py --corpus ../shared/corpus [--folds 4] [--write]

Needs LightGBM and numpy, which the package itself does not. Pages are split by host, so that a fold is always measured
on sites that its forest has not seen; what is written in the end is made from all pages. A block is labelled by whether
its words stand in the gold text, aligned in order; it weighs as much as its words do on its page.
"""

import argparse
import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import lightgbm
import numpy as np

from bench.extraction import Figures, score
from pipeline.decode import parse_html
from pipeline.extract.blocks import segment
from pipeline.extract.body import THRESHOLD
from pipeline.extract.features import NAMES, features_of
from pipeline.extract.forest import GLANCE
from pipeline.extract.surroundings import Hints
from pipeline.metadata import read_metadata
from pipeline.structured import read_structured

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
    "seed": 1,
    "deterministic": True,
}
NEWS_WEIGHT = 3.0
"""Pages of newspapers count threefold: they are what the package is for, and there are fewer of them."""


@dataclass
class Sample:
    """One page: its blocks with features and labels. Blocks that are menus at a glance have no row."""

    gold: dict[str, Any]
    texts: list[str]
    rows: np.ndarray
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
    layout = segment(document.tree)
    rows = features_of(layout, Hints(metadata.title, metadata.description, structured.article_body))
    labels = labels_of([block.text for block in layout.blocks], gold["body"])
    seen = [index for index, row in enumerate(rows) if row]
    texts = [layout.blocks[index].text for index in seen]
    weight = NEWS_WEIGHT if gold["set"] == "news" else 1.0
    size = max(50, len(words(gold["body"])))
    host = (urlsplit(gold["url"]).hostname or "").removeprefix("www.")
    return Sample(
        gold,
        texts,
        np.array([rows[index] for index in seen], dtype=np.float32).reshape(-1, len(NAMES)),
        np.array([labels[index] for index in seen], dtype=bool),
        np.array([weight * min(0.5, (len(words(text)) + 6) / size) for text in texts]),
        int(hashlib.md5(host.encode(), usedforsecurity=False).hexdigest(), 16) % folds,
    )


def fit(samples: list[Sample], columns: list[int]) -> lightgbm.Booster:
    """A forest from these pages, over some of the features."""
    told = lightgbm.Dataset(
        np.vstack([sample.rows[:, columns] for sample in samples]),
        np.concatenate([sample.labels for sample in samples]),
        weight=np.concatenate([sample.weights for sample in samples]) * 1000,
    )
    return lightgbm.train(SETTINGS, told, ROUNDS)


def to_json(model: lightgbm.Booster, samples: list[Sample], columns: list[int]) -> str:
    """The form that `pipeline.extract.forest` reads."""
    rows = np.vstack([sample.rows[:, columns] for sample in samples])
    kept = model.predict(rows) > THRESHOLD
    hopeless = model.predict(rows, raw_score=True, num_iteration=GLANCE)[kept].min()
    trees = [_tree(tree["tree_structure"]) for tree in model.dump_model()["tree_info"]]
    told = {"names": [NAMES[column] for column in columns], "hopeless": round(float(hopeless), 3), "trees": trees}
    return json.dumps(told, separators=(",", ":"))


def _tree(node: dict[str, Any]) -> list[Any] | float:
    if "leaf_value" in node:
        return round(node["leaf_value"], 4)
    return [
        node["split_feature"],
        float(f"{node['threshold']:.6g}"),
        _tree(node["left_child"]),
        _tree(node["right_child"]),
    ]


def cross_validate(samples: list[Sample], columns: list[int], folds: int, out: Path | None) -> np.ndarray:
    """Print the figures on sites that were not seen; returns how much each feature gained."""
    gains = np.zeros(len(columns))
    figures: dict[str, Figures] = defaultdict(Figures)
    for fold in range(folds):
        others = [sample for sample in samples if sample.fold != fold]
        model = fit(others, columns)
        gains += model.feature_importance("gain")
        if out:
            (out / f"forest{fold}.json").write_text(to_json(model, others, columns))
        for sample in samples:
            if sample.fold == fold and len(sample.rows):
                chances = model.predict(sample.rows[:, columns], num_threads=1)
                kept = [text for text, chance in zip(sample.texts, chances, strict=True) if chance > THRESHOLD]
                figures[sample.gold["set"]].rows.append(score(sample.gold, {"text": "\n".join(kept)}))
    for name, found in sorted(figures.items()):
        print(name, {key: round(value, 4) for key, value in sorted(found.summary().items()) if len(key) < 7})
    return gains


def main() -> None:
    """Measure by cross-validation; with ``--write`` make the forest of all pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--keep", type=float, default=0.0002, help="least share of the gain that a feature must bring")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--out", type=Path, help="folder for the forests of the folds")
    args = parser.parse_args()
    golds = [json.loads(line) for line in (args.corpus / "gold.jsonl").open(encoding="utf-8")]
    samples = [sample_of(gold, args.corpus, args.folds) for gold in golds]
    columns = list(range(len(NAMES)))
    gains = cross_validate(samples, columns, args.folds, None)
    columns = [column for column in columns if gains[column] > args.keep * gains.sum()]
    print(len(columns), "features:", ", ".join(NAMES[column] for column in columns))
    cross_validate(samples, columns, args.folds, args.out)
    if args.write:
        target = Path(__file__).resolve().parent.parent / "pipeline" / "extract" / "forest.json"
        target.write_text(to_json(fit(samples, columns), samples, columns))


if __name__ == "__main__":
    main()
