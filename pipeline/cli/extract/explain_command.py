"""``news explain``: show what each step does with one page, on the terminal or as a coloured document."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import click

from pipeline.cli.extract.comparison import compare_answers
from pipeline.cli.options import json_option
from pipeline.cli.output import as_text, print_facts, print_json, print_line, print_table, report_line
from pipeline.cli.page_sources import fetch_page, is_address, load_page_file, load_stored_page
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.extract import Explanation, JudgedBlock, PageInput, explain_article
from pipeline.model import Article, Response
from pipeline.store.articles.bulk_rows import find_announced_urls
from pipeline.store.articles.learned_boilerplate import load_learned_texts
from pipeline.store.connection.engine import open_archive, reading
from pipeline.text.control_characters import show_controls
from pipeline.urls import canonical_url, site_of

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


def render_explanation(explanation: Explanation) -> str:
    """Render the document: outcome, metadata with provenance, and every block in reading order.

    Nothing of the page's own markup gets through, control characters are shown, and nothing is loaded from elsewhere.
    """
    outcome = explanation.outcome
    result = f"article, {outcome.word_count} words" if isinstance(outcome, Article) else f"no article: {outcome.reason}"
    counts = Counter(_class_of(line) for line in explanation.lines)
    rows = [
        ("outcome", result, ""),
        ("class", explanation.verdict.page_class, explanation.verdict.evidence),
        *_metadata_rows(explanation),
    ]
    if explanation.rule:
        rows.append(("site rule", explanation.rule.site, explanation.rule.origin))
    if explanation.rescued:
        rows.append(("text", "taken from another source than the page's blocks", explanation.rescued))
    page = "\n".join(
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
            *map(_line, explanation.lines),
            "</main></body></html>\n",
        )
    )
    return show_controls(page, multiline=True)


def _metadata_rows(explanation: Explanation) -> list[tuple[str, str, str]]:
    metadata, rows = explanation.metadata, []
    for name in metadata.__dataclass_fields__:
        value = getattr(metadata, name)
        if value and name not in {"provenance", "url"}:
            evidence = metadata.provenance.get(name)
            shown = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            others = "".join(f"; {source} says: {other}" for source, other in evidence.alternatives) if evidence else ""
            rows.append((name, shown, f"{evidence.source} ({evidence.confidence:g}){others}" if evidence else ""))
    return rows


def _class_of(line: JudgedBlock) -> str:
    if line.reason is None:
        return "kept"
    return "outside" if line.reason == "outside" else "removed"


def _line(line: JudgedBlock) -> str:
    chance = "" if line.probability is None else f" {line.probability:.2f}"
    why = f"{line.reason or 'kept'}{chance}"
    text = escape(line.text).replace("\n", "<br>")
    return (
        f'<div class="line {_class_of(line)} {escape(line.kind)}"><div class="text">{text}</div>'
        f'<div class="why" title="{escape(line.step)}">{escape(why)}</div></div>'
    )


@click.command()
@click.argument("source", metavar="URL|FILE")
@click.option("--url", help="Address of the page in FILE; what it links to and its site are judged by it.")
@click.option("--stored", is_flag=True, help="Read the newest good archived response of URL, without asking for it.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page that shows what was kept in green and what was removed in red, with the reasons.",
)
@click.option(
    "--compare", is_flag=True, help="Show our text beside trafilatura's; marked is what only one of them has."
)
@json_option
@click.pass_obj
def explain_command(
    settings: Settings, source: str, url: str | None, stored: bool, html: Path | None, compare: bool, as_json: bool
) -> None:
    """Run every step on one page and print what each returned; nothing is written.

    The page is fetched from URL, or read from FILE (.html, .html.gz).

    \b
    Examples:
      news explain https://example.org/2026/11/22/story.html
      news explain https://example.org/2026/11/22/story.html --stored
      news explain page.html.gz --url https://example.org/story --json
      news explain page.html --html why.html
      news explain page.html --compare
    """
    try:
        page, robots = _load(settings, source, url, stored=stored)
        read = PageInput(
            page.body,
            canonical_url(page.url),
            charset=page.charset,
            fetched_at=page.fetched_at,
            **(_known(settings, canonical_url(page.url), canonical_url(source)) if stored else {}),
            **settings.reading_options,
        )
        if compare:
            compare_answers(read).show(as_json=as_json)
            return
        explanation = explain_article(read)
    except ValueError as error:
        raise ConfigError(f"{source!r}: {error}") from error
    if html:
        html.write_text(render_explanation(explanation), encoding="utf-8")
        report_line(f"{html} shows what was kept and what was removed")
    if as_json:
        print_json(_fetch_facts(page, robots) | _plain(explanation))
    elif not html:
        _print(page, robots, explanation)


def _load(settings: Settings, source: str, url: str | None, *, stored: bool) -> tuple[Response, str | None]:
    """Return the page, and what robots.txt says about it if it was fetched."""
    if stored:
        return load_stored_page(settings, source), None
    if is_address(source):
        return asyncio.run(fetch_page(settings, source))
    return load_page_file(Path(source), url), None


def _known(settings: Settings, url: str, source: str) -> dict[str, Any]:
    """What the archive knows of a page at this URL that was asked for by another: what a run would read it with."""
    with open_archive(settings, check_schema=False) as engine, reading(engine) as connection:
        return {
            "learned": load_learned_texts(connection, site_of(url)),
            "is_announced": bool(find_announced_urls(connection, [source])),
        }


def _fetch_facts(page: Response, robots: str | None) -> dict[str, Any]:
    return {
        "robots": robots,
        "fetched": {
            "url": page.url,
            "status": page.status,
            "redirects": page.redirects,
            "content_type": page.content_type,
            "bytes": len(page.body),
            "seconds": round(page.elapsed.total_seconds(), 3),
        },
    }


def _plain(explanation: Explanation) -> dict[str, Any]:
    structured = explanation.structured
    return {
        "encoding": explanation.encoding,
        "structured": {
            "json_ld": len(structured.nodes),
            "article_type": structured.article_type,
            "article_body_words": len((structured.article_body or "").split()) or None,
            "meta": dict(structured.meta),
        },
        "metadata": asdict(explanation.metadata),
        "lines": [line._asdict() for line in explanation.lines],
        "rule": explanation.rule.origin if explanation.rule else None,
        "rescued": explanation.rescued,
        "verdict": asdict(explanation.verdict),
        "outcome": {name: value for name, value in asdict(explanation.outcome).items() if name != "blocks"},
    }


def _print(page: Response, robots: str | None, explanation: Explanation) -> None:
    _section("fetched", _fetch_facts(page, robots)["fetched"] | ({"robots.txt": robots} if robots is not None else {}))
    structured, outcome, verdict = explanation.structured, explanation.outcome, explanation.verdict
    _section(
        "read",
        {
            "encoding": explanation.encoding,
            "JSON-LD": f"{len(structured.nodes)} nodes, article: {structured.article_type or 'none'}",
            "meta": f"{len(structured.meta)} names",
        }
        | ({"site rule": explanation.rule.origin} if explanation.rule else {}),
    )
    _section("metadata", {})
    sources = explanation.metadata.provenance
    rows = [
        (name, value, sources[name].source if name in sources else "")
        for name, value in asdict(explanation.metadata).items()
        if value and name not in {"provenance", "url"}
    ]
    print_table(("field", "value", "from"), rows)
    _section("paragraphs" + (f" (text taken from {explanation.rescued})" if explanation.rescued else ""), {})
    print_table(
        ("", "reason", "text"),
        (("kept" if line.reason is None else "removed", line.reason or "", line.text) for line in explanation.lines),
    )
    result = f"article, {outcome.word_count} words" if isinstance(outcome, Article) else f"none: {outcome.reason}"
    _section("outcome", {})
    print_line(result)
    print_facts(
        {"class": f"{verdict.page_class}{': ' if verdict.evidence else ''}{verdict.evidence}", "url": outcome.url}
    )


def _section(name: str, facts: Mapping[str, object]) -> None:
    print_line()
    print_line(as_text(name, "bold"))
    print_facts(facts)
