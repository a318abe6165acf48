"""A page as one self-contained HTML document: what was kept of it, what was removed and why, at one glance."""

from collections import Counter
from html import escape

from pipeline.extract import Explanation, Line
from pipeline.model import Article

_STYLE = """
:root { color-scheme: light dark; --kept: #1a7f37; --removed: #b3261e; --outside: #8a8a8a; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
body { overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #8884; }
.line { border-left: .4rem solid; padding: .1rem .6rem; margin: .3rem 0; }
.line { display: grid; grid-template-columns: 1fr auto; gap: 1rem; }
.kept { border-color: var(--kept); } .removed { border-color: var(--removed); }
.outside { border-color: var(--outside); opacity: .65; }
.removed .text, .outside .text { text-decoration: line-through; text-decoration-thickness: 1px; }
.heading .text { font-weight: 700; } .item .text { padding-left: 1.2rem; } .quote .text { font-style: italic; }
.why { font-size: .8rem; white-space: nowrap; }
.removed .why { color: var(--removed); } .kept .why { color: var(--kept); }
label { margin-right: 1.2rem; } #hide-outside:checked ~ main .outside { display: none; }
"""


def coloured_page(found: Explanation) -> str:
    """The document: outcome, metadata with provenance, and every block in reading order.

    Nothing of the page's own markup gets through, and nothing is loaded from elsewhere.
    """
    outcome = found.outcome
    told = f"article, {outcome.word_count} words" if isinstance(outcome, Article) else f"no article: {outcome.reason}"
    counts = Counter(_class_of(line) for line in found.lines)
    rows = [("outcome", told, ""), ("class", found.verdict.page_class, found.verdict.evidence), *_metadata(found)]
    if found.rule:
        rows.append(("site rule", found.rule.site, found.rule.origin))
    if found.rescued:
        rows.append(("text", "taken from another source than the page's blocks", found.rescued))
    return "\n".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">',
            f"<title>{escape(outcome.title or outcome.url)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(outcome.title or outcome.url)}</h1><p>{escape(outcome.url)}</p>",
            "<table><thead><tr><th>field<th>value<th>from</tr></thead><tbody>",
            *(f"<tr><td>{escape(name)}<td>{escape(value)}<td>{escape(source)}</tr>" for name, value, source in rows),
            "</tbody></table><h2>Blocks in reading order</h2>",
            f'<input type="checkbox" id="hide-outside"><label for="hide-outside">hide the {counts["outside"]} blocks '
            f"around the article</label> {counts['kept']} kept, {counts['removed']} removed<main>",
            *map(_line, found.lines),
            "</main></body></html>\n",
        )
    )


def _metadata(found: Explanation) -> list[tuple[str, str, str]]:
    metadata, rows = found.metadata, []
    for name in metadata.__dataclass_fields__:
        value = getattr(metadata, name)
        if value and name not in {"provenance", "url"}:
            told = metadata.provenance.get(name)
            shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            others = "".join(f"; {source} says: {other}" for source, other in told.alternatives) if told else ""
            rows.append((name, shown, f"{told.source} ({told.confidence:g}){others}" if told else ""))
    return rows


def _class_of(line: Line) -> str:
    if line.reason is None:
        return "kept"
    return "outside" if line.reason == "outside" else "removed"


def _line(line: Line) -> str:
    chance = "" if line.probability is None else f" {line.probability:.2f}"
    why = f"{line.reason or 'kept'}{chance}"
    text = escape(line.text).replace("\n", "<br>")
    return (
        f'<div class="line {_class_of(line)} {escape(line.kind)}"><div class="text">{text}</div>'
        f'<div class="why" title="{escape(line.step)}">{escape(why)}</div></div>'
    )
