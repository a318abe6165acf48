"""Pages made from the newsroom's sources, and what extraction is expected to give for each.

Both come from the same blocks: a line of boilerplate stands in the page and in the expected result, or in neither.
"""

import html
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from itertools import groupby
from string import Template
from typing import Any

from examples.newsroom.source import Article, Block, Site, inline_html

RELATED = 4
"""How many teasers of other articles a page shows."""


def base_url(site: Site, port: int) -> str:
    """Where the site is served."""
    return f"http://{site.host}:{port}"


def article_url(site: Site, article: Article, port: int) -> str:
    """The canonical URL of an article."""
    return base_url(site, port) + article.path


def render_page(site: Site, article: Article, port: int, readers: int = 0) -> str:
    """The page of an article; ``readers`` is what its live widgets count."""
    slots = {
        slot: "".join(_marked_up(site, block, article) for block in blocks) for slot, blocks in chrome(site, article)
    }
    at = site_time(site, article.published_at)
    modified = site_time(site, article.modified_at or article.published_at)
    escaped = {
        "title": article.title,
        "site_title": site.title,
        "language": article.language,
        "direction": "rtl" if article.language == "ar" else "ltr",
        "url": article_url(site, article, port),
        "base": base_url(site, port),
        "slug": article.slug,
        "section": article.section,
        "tags": ", ".join(article.tags),
        "description": article.description,
        "author": ", ".join(article.authors),
        "published_iso": at.isoformat(),
        "modified_iso": modified.isoformat(),
        "published": at.strftime(site.date_format),
        "feed": base_url(site, port) + site.feeds[0].path,
        "readers": f"{1200 + readers}",
    }
    return Template(site.template).substitute(
        slots,
        **{name: html.escape(value) for name, value in escaped.items()},
        body=_body(site, article),
        json_ld=_json_ld(site, article, port),
        state=_application_state(article),
    )


def expected(site: Site, article: Article, port: int) -> dict[str, Any]:
    """What extraction is to give for the article's page."""
    lines = [(block.kind, line) for block in article.blocks if not block.is_kept for line in block.lines]
    lines += [(block.kind, line) for _, blocks in chrome(site, article) for block in blocks for line in block.lines]
    return {
        "url": article_url(site, article, port),
        "site": site.host,
        "title": " ".join(article.title.split()),
        "authors": list(article.authors),
        "published_at": article.relative or article.published_at.isoformat(),
        "modified_at": article.modified_at.isoformat() if article.modified_at else None,
        "language": article.language,
        "section": article.section,
        "tags": list(article.tags),
        "paragraphs": list(article.paragraphs),
        "boilerplate": [{"kind": kind, "text": line} for kind, line in dict.fromkeys(lines)],
    }


def chrome(site: Site, article: Article) -> Iterator[tuple[str, tuple[Block, ...]]]:
    """The slots of the site's template with the blocks that fill them on this page."""
    facts = {
        "title": article.title,
        "authors": ", ".join(article.authors),
        "date": site_time(site, article.published_at).strftime(site.date_format),
        "section": article.section,
        "site": site.title,
    }
    for slot, lines in site.chrome.items():
        kept_lines = lines if article.authors else [line for line in lines if "$authors" not in line]
        yield slot, tuple(Block(slot, Template(line).substitute(facts)) for line in kept_lines)
    others = [other for other in site.articles.values() if other.slug != article.slug]
    start = sorted(site.articles).index(article.slug) % max(len(others), 1)
    nearby = (others[start:] + others[:start])[:RELATED]
    yield "related", tuple(Block("related", f"[{other.title}]({other.path}) | {other.description}") for other in nearby)
    yield "most_read", tuple(Block("most_read", f"[{other.title}]({other.path})") for other in others[:5])
    yield "bio", tuple(Block("bio", site.bios[name]) for name in article.authors if name in site.bios)


def site_time(site: Site, at: datetime) -> datetime:
    """The time as the site's clocks show it."""
    return at.astimezone(timezone(site.utc_offset))


def _body(site: Site, article: Article) -> str:
    parts = []
    for is_item, blocks in groupby(article.blocks, key=lambda block: block.kind == "item"):
        rendered = "\n".join(_marked_up(site, block, article) for block in blocks)
        parts.append(f"<ul>\n{rendered}\n</ul>" if is_item else rendered)
    return "\n".join(parts)


def _marked_up(site: Site, block: Block, article: Article) -> str:
    """The block in the site's markup of its kind: ``$text`` is its first line, ``$second`` and ``$third`` the next."""
    parts = [block.text] if block.is_kept else block.text.split(" | ")
    markup = site.markup.get(block.kind) or site.markup["other"]
    if len(parts) > 1 + ("$second" in markup) + ("$third" in markup):
        raise ValueError(f"the markup of [{block.kind}] has no place for all of {block.text!r}")
    texts = [inline_html(html.escape(part, quote=False)) for part in parts] + ["", ""]
    return Template(markup).substitute(
        text=texts[0], second=texts[1], third=texts[2], kind=block.kind, slug=html.escape(article.slug)
    )


def _json_ld(site: Site, article: Article, port: int) -> str:
    url = article_url(site, article, port)
    document: Mapping[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": url},
        "headline": article.title,
        "description": article.description,
        "datePublished": site_time(site, article.published_at).isoformat(),
        "dateModified": site_time(site, article.modified_at or article.published_at).isoformat(),
        "author": [{"@type": "Person", "name": name} for name in article.authors],
        "publisher": {"@type": "Organization", "name": site.title},
        "image": [f"{base_url(site, port)}/images/{article.slug}.jpg"],
        "articleSection": article.section,
        "keywords": list(article.tags),
        "inLanguage": article.language,
    }
    return _script_json(document)


def _application_state(article: Article) -> str:
    """What a single-page application leaves in its pages: JSON with pieces of the article in it."""
    return _script_json(
        {
            "props": {"pageProps": {"slug": article.slug, "title": article.title, "teaser": article.description}},
            "buildId": "x9-4f1c",
            "flags": {"paywall": "metered", "newsletter": True},
        }
    )


def _script_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False).replace("</", "<\\/")
