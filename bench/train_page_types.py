"""Make ``pipeline/classify/page_types.json`` anew from pages of known types, measured on sites that were not seen.

    python -m bench.train_page_types --corpus ../shared/corpus [--folds 8] [--numbers FILE] [--write]

Needs LightGBM and numpy, which the package itself does not. Articles are the pages of ``gold.jsonl`` and of the sets
features, metadata and passages of ``more``; the others are those of ``more/types.jsonl``. Pages are split by host. The
limit is set so that a given share of the article sets is refused on unseen sites; all figures are of unseen sites.
"""

import argparse
import gzip
import hashlib
import json
import logging
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from bench.train_forest import read_golds, tree_of
from pipeline.classify.page_numbers import NAMES
from pipeline.classify.page_types import GLANCE
from pipeline.errors import ExtractError
from pipeline.errors.failure_reasons import PAGE_TYPES
from pipeline.extract import PageInput, explain_article
from pipeline.model import Article
from pipeline.urls import site_of

SETTINGS = {
    "objective": "binary",
    "num_leaves": 6,
    "learning_rate": 0.03,
    "min_data_in_leaf": 8,
    "feature_fraction": 0.2,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "lambda_l2": 1,
    "verbose": -1,
    "seed": 2,
    "deterministic": True,
    "num_threads": 1,
}
ROUNDS, TYPE_ROUNDS = 1000, 100
WEIGHTS = {"news": 1.5, "passages": 0.6, "list": 2.0, "service": 1.5, "forum": 0.6, "documentation": 0.6}
"""Passages are of pages of all kinds, some of them no articles. Lists and services are the hardest to tell."""

REFUSED = 0.0075
"""Share of the article sets that may be refused on unseen sites; surely so, a quarter of it."""

ARTICLES = ("articles", "news", "features", "metadata")


@dataclass
class TypedSample:
    """A page with its numbers, none where they were not asked; ``stored`` is whether it would be but for the trees."""

    page: str
    set: str
    type: str
    host: str
    numbers: list[float]
    stored: bool


def sample_of(gold: dict[str, Any], folder: Path) -> TypedSample | None:
    """The numbers of one page; None where it cannot be read."""
    address = gold["url"].rpartition("://")[2] or f"localhost/{gold['id']}"
    url = gold["url"] if "://" in gold["url"] and address in gold["url"] else f"http://{address}"
    try:
        body = gzip.decompress((folder / gold["page"]).read_bytes())
        found = explain_article(PageInput(body, url, rules_dir=None, kept_types=PAGE_TYPES))
    except ExtractError:
        return None
    kind = gold.get("type", "article").replace("listing", "list")
    # Whatever the trees say that are there already; not what the rule for lists refuses.
    is_stored = isinstance(found.outcome, Article) and bool(found.numbers or found.verdict.page_class != "list")
    return TypedSample(gold["id"], gold["set"], kind, site_of(url), [*found.numbers], is_stored)


def load_samples(corpus: Path, file: Path | None) -> list[TypedSample]:
    """All pages; from the file of numbers where there is one, which is written otherwise."""
    if file and file.exists():
        return [TypedSample(**json.loads(line)) for line in file.open(encoding="utf-8")]
    golds = [*read_golds(corpus / "gold.jsonl")]
    for name in ("features", "metadata", "passages", "types"):
        golds += read_golds(corpus / "more" / f"{name}.jsonl")
    samples = [sample for gold in golds if (sample := sample_of(gold, corpus))]
    if file:
        file.write_text("".join(json.dumps(asdict(sample)) + "\n" for sample in samples), encoding="utf-8")
    return samples


def fit(samples: list[TypedSample], positive: frozenset[str], rounds: int) -> lightgbm.Booster:
    """Trees that tell these types from the others among the samples."""
    rows = np.array([sample.numbers for sample in samples])
    labels = np.array([sample.type in positive for sample in samples])
    kinds = [sample.type if len(positive) > 1 else "" for sample in samples]  # one type against others: all alike
    weights = np.array(
        [WEIGHTS.get(s.set, 1.0) * WEIGHTS.get(kind, 1.0) for s, kind in zip(samples, kinds, strict=True)]
    )
    return lightgbm.train(SETTINGS, lightgbm.Dataset(rows, labels, weight=weights), rounds)


def types_of_samples(samples: list[TypedSample]) -> list[str]:
    """The types that there are, but articles."""
    return sorted({sample.type for sample in samples} - {"article"})


def cross_validate(samples: list[TypedSample], folds: int, salt: str) -> tuple[np.ndarray, list[str]]:
    """For each sample the log-odds that it is no article, and its likeliest type, by trees of other sites."""
    hashes = [hashlib.md5((salt + sample.host).encode(), usedforsecurity=False).hexdigest() for sample in samples]
    parts = [int(own, 16) % folds for own in hashes]
    odds, named = np.zeros(len(samples)), [""] * len(samples)
    kinds = types_of_samples(samples)
    for part in range(folds):
        known = [sample for sample, own in zip(samples, parts, strict=True) if own != part]
        unseen = [index for index, own in enumerate(parts) if own == part]
        rows = np.array([samples[index].numbers for index in unseen])
        odds[unseen] = fit(known, frozenset(kinds), ROUNDS).predict(rows, raw_score=True)
        others = [sample for sample in known if sample.type != "article"]
        scores = [fit(others, frozenset((kind,)), TYPE_ROUNDS).predict(rows, raw_score=True) for kind in kinds]
        for index, best in zip(unseen, np.argmax(scores, axis=0), strict=True):
            named[index] = kinds[best]
    return odds, named


def limit_for(samples: list[TypedSample], odds: np.ndarray, refused: float, everything: int) -> float:
    """The log-odds above which this share of the article sets is refused."""
    chances = sorted(
        (chance for sample, chance in zip(samples, odds, strict=True) if sample.set in ARTICLES), reverse=True
    )
    return float(chances[int(refused * everything)]) + 1e-6


def report(
    samples: list[TypedSample], rows: list[TypedSample], odds: np.ndarray, named: list[str], limit: float
) -> None:
    """Print the share of each type that is stored, of each set that is refused, and how often the type is right."""
    groups: dict[str, list[float]] = defaultdict(list)
    right: dict[str, list[float]] = defaultdict(list)
    told = {row.page: (chance, name) for row, chance, name in zip(rows, odds, named, strict=True)}
    for sample in samples:
        chance, name = told.get(sample.page, (-np.inf, ""))
        is_stored = sample.stored and chance < limit
        groups[sample.type if sample.set == "types" else sample.set].append(is_stored)
        if sample.set == "types" and sample.stored and not is_stored:
            right[sample.type].append(name == sample.type)
    for name, stored in groups.items():
        correct = f", named rightly {np.mean(right[name]):.2f} of those refused" if right[name] else ""
        print(f"{name:14} n={len(stored):<4} stored {np.mean(stored):.3f}{correct}")


def to_json(samples: list[TypedSample], limit: float, sure: float) -> str:
    """The form that `pipeline.classify.page_types` reads, learned from all pages."""
    kinds = types_of_samples(samples)
    others = [sample for sample in samples if sample.type != "article"]
    models = {kind: fit(others, frozenset((kind,)), TYPE_ROUNDS) for kind in kinds}
    model = fit(samples, frozenset(kinds), ROUNDS)
    used = sorted({place for one in (model, *models.values()) for place in np.flatnonzero(one.feature_importance())})
    table = np.array([sample.numbers for sample in samples])
    told_apart = model.predict(table, raw_score=True) >= limit
    glances = model.predict(table, raw_score=True, num_iteration=GLANCE)[told_apart]
    articles = np.array([sample.numbers for sample in samples if sample.type == "article"])
    places = {int(column): place for place, column in enumerate(used)}
    told = {
        "names": [NAMES[column] for column in used],
        "usual": [float(f"{value:.4g}") for value in np.median(articles, axis=0)[used]],
        "trees": _trees(model, places),
        "types": {kind: _trees(one, places) for kind, one in models.items()},
        "limit": round(limit, 3),
        "hopeless": round(min(glances) - 0.3, 3),
        "sure": round(sure, 3),
    }
    return json.dumps(told, separators=(",", ":"))


def _trees(model: lightgbm.Booster, places: dict[int, int]) -> list[Any]:
    return [_placed(tree_of(tree["tree_structure"]), places) for tree in model.dump_model()["tree_info"]]


def _placed(tree: list[Any] | float, places: dict[int, int]) -> list[Any] | float:
    if not isinstance(tree, list):
        return tree
    return [places[tree[0]], tree[1], _placed(tree[2], places), _placed(tree[3], places)]


def main() -> None:
    """Measure by cross-validation; with ``--write`` learn from all pages and put that into the package."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=8, help="parts by host for the cross-validation")
    parser.add_argument("--numbers", type=Path, help="file that holds the numbers of all pages, or is to")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    samples = load_samples(args.corpus, args.numbers)
    rows = [sample for sample in samples if sample.stored and sample.numbers]
    everything = sum(sample.set in ARTICLES for sample in samples)
    limits: list[tuple[float, float]] = []
    for salt in ("", "again"):  # two ways to split: a limit by one alone follows a handful of pages
        odds, named = cross_validate(rows, args.folds, salt)
        limits.append(tuple(limit_for(rows, odds, share, everything) for share in (REFUSED, REFUSED / 4)))
        print(f"limit {limits[-1][0]:.3f}, surely {limits[-1][1]:.3f}")
        report(samples, rows, odds, named, limits[-1][0])
    if args.write:
        target = Path(__file__).resolve().parent.parent / "pipeline" / "classify" / "page_types.json"
        limit, sure = (float(np.mean(some)) for some in zip(*limits, strict=True))
        target.write_text(to_json(rows, limit, sure))


if __name__ == "__main__":
    main()
