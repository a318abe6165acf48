"""The newsroom's feeds: RSS 2.0, Atom and RSS 1.0 (RDF), and one that is broken in ways seen in the wild."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from examples.newsroom.pages import base_url, site_time
from examples.newsroom.source import FeedSource, Site


@dataclass(frozen=True, slots=True)
class Announcement:
    """One entry of a feed."""

    link: str
    guid: str
    title: str
    summary: str
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    published_at: datetime
    updated_at: datetime
    content: str = ""


def announcements(site: Site, feed: FeedSource, port: int) -> list[Announcement]:
    """What the feed announces, newest first."""
    return sorted(_announcements(site, feed, port), key=lambda entry: entry.published_at, reverse=True)


def changed_at(entries: list[Announcement]) -> datetime:
    """When the feed last changed."""
    return max(entry.updated_at for entry in entries)


def render_feed(site: Site, feed: FeedSource, port: int) -> str:
    """The feed as XML, or nearly so."""
    entries = announcements(site, feed, port)
    text = {"rss": _rss, "atom": _atom, "rdf": _rdf}[feed.format](site, feed, port, entries)
    return _spoiled(text) if feed.malformed else text


def content_type(feed: FeedSource) -> str:
    """The media type that the feed's format is registered with."""
    return {"rss": "application/rss+xml", "atom": "application/atom+xml", "rdf": "application/rdf+xml"}[feed.format]


def _announcements(site: Site, feed: FeedSource, port: int) -> Iterator[Announcement]:
    base = base_url(site, port)
    for slug in feed.articles if feed.articles is not None else site.articles:
        article = site.articles[slug]
        yield Announcement(
            link=_tracked(base + (article.announced_as or article.path), feed.tracking),
            guid=f"tag:{site.host},2026:{article.slug}",
            title=article.title,
            summary=article.description,
            authors=article.authors,
            tags=article.tags,
            published_at=article.published_at,
            updated_at=article.modified_at or article.published_at,
            content="".join(f"<p>{escape(text)}</p>" for text in article.paragraphs) if feed.full_content else "",
        )
    for entry in feed.entries:
        at = entry["published_at"].astimezone(UTC)
        link = _tracked(base + entry["path"], feed.tracking)
        guid = f"tag:{site.host},2026:{entry['path'].strip('/')}"
        yield Announcement(link, guid, entry["title"], entry["summary"], (), (), at, at)


def _tracked(url: str, parameters: str) -> str:
    return url + ("&" if "?" in url else "?") + parameters if parameters else url


def _rss(site: Site, feed: FeedSource, port: int, entries: list[Announcement]) -> str:
    items = []
    for entry in entries:
        guid = f'<guid isPermaLink="false">{escape(entry.guid)}</guid>' if feed.guid else ""
        content = f"<content:encoded><![CDATA[{entry.content}]]></content:encoded>" if entry.content else ""
        items.append(
            f"<item><title>{escape(entry.title)}</title><link>{escape(entry.link)}</link>{guid}"
            + "".join(f"<dc:creator>{escape(name)}</dc:creator>" for name in entry.authors)
            + "".join(f"<category>{escape(tag)}</category>" for tag in entry.tags)
            + f"<pubDate>{format_datetime(site_time(site, entry.published_at))}</pubDate>"
            + f"<description>{escape(entry.summary)}</description>{content}</item>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>\n'
        f"<title>{escape(feed.title)}</title><link>{base_url(site, port)}/</link>"
        f"<description>{escape(feed.description)}</description><language>{site.language}</language>\n"
        + "\n".join(items)
        + "\n</channel></rss>\n"
    )


def _atom(site: Site, feed: FeedSource, port: int, entries: list[Announcement]) -> str:
    parts = []
    for entry in entries:
        content = f'<content type="html">{escape(entry.content)}</content>' if entry.content else ""
        parts.append(
            f"<entry><id>{escape(entry.guid)}</id><title>{escape(entry.title)}</title>"
            f'<link rel="alternate" href="{escape(entry.link)}"/>'
            + "".join(f"<author><name>{escape(name)}</name></author>" for name in entry.authors)
            + "".join(f'<category term="{escape(tag)}"/>' for tag in entry.tags)
            + f"<published>{entry.published_at.isoformat()}</published>"
            + f"<updated>{entry.updated_at.isoformat()}</updated>"
            + f"<summary>{escape(entry.summary)}</summary>{content}</entry>"
        )
    home = base_url(site, port)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{site.language}">\n'
        f"<id>{home}{feed.path}</id><title>{escape(feed.title)}</title><subtitle>{escape(feed.description)}</subtitle>"
        f'<link rel="self" href="{home}{feed.path}"/><link href="{home}/"/>'
        f"<updated>{changed_at(entries).isoformat()}</updated>\n" + "\n".join(parts) + "\n</feed>\n"
    )


def _rdf(site: Site, feed: FeedSource, port: int, entries: list[Announcement]) -> str:
    listed = "".join(f'<rdf:li rdf:resource="{escape(entry.link)}"/>' for entry in entries)
    items = [
        f'<item rdf:about="{escape(entry.link)}"><title>{escape(entry.title)}</title><link>{escape(entry.link)}</link>'
        f"<description>{escape(entry.summary)}</description><dc:creator>{escape(', '.join(entry.authors))}</dc:creator>"
        f"<dc:date>{site_time(site, entry.published_at).isoformat()}</dc:date></item>"
        for entry in entries
    ]
    home = base_url(site, port)
    return (
        f'<?xml version="1.0" encoding="{site.encoding}"?>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<channel rdf:about="{home}{feed.path}"><title>{escape(feed.title)}</title><link>{home}/</link>'
        f"<description>{escape(feed.description)}</description><dc:language>{site.language}</dc:language>"
        f"<items><rdf:Seq>{listed}</rdf:Seq></items></channel>\n" + "\n".join(items) + "\n</rdf:RDF>\n"
    )


def _spoiled(text: str) -> str:
    """The feed as a careless template writes it: bare ampersands, an HTML entity, and the end cut off."""
    text = text.replace("</title>", "&nbsp;</title>", 1).replace("&amp;", "&")
    return text.replace("\n</channel></rss>\n", "")
