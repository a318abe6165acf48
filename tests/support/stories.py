"""News made up for tests: as many different articles, pages and feeds as a test needs."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from xml.sax.saxutils import quoteattr

_WHO = ("The harbour board", "A panel of engineers", "The town's school council", "The regional bus company")
_DID = ("approved a plan to rebuild", "postponed a decision on", "published its first report on", "voted to sell")
_WHAT = ("the old grain pier", "the covered market", "the tidal gate", "the northern tram line", "the public archive")
_WHY = (
    "after months of complaints from residents who had asked for a clear timetable",
    "although the estimate has risen by a third since the last budget was agreed",
    "because the winter storms had damaged its foundations more than anyone had expected",
)
PUBLISHED_AT = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=6)
"""Some days ago, whenever that is: what is older is hardly looked at again."""


def paragraphs(number: int) -> list[str]:
    """The text of article ``number``: four paragraphs, another text for each number."""
    return [
        f"{_WHO[(number + part) % 4]} {_DID[(number // 4 + part) % 4]} {_WHAT[(number // 16 + part) % 5]} on Friday, "
        f"{_WHY[(number + 2 * part) % 3]}. File {number * 7 + part} of the case lists {number + part + 2} separate "
        f"objections, and the people who signed them say that they will be at the next hearing too."
        for part in range(4)
    ]


def title(number: int) -> str:
    """The headline of article ``number``."""
    return f"Decision {number} on {_WHAT[(number // 16) % 5]} divides the town"


def article_page(number: int, *, text: list[str] | None = None, headline: str | None = None, head: str = "") -> str:
    """A page with article ``number``, in the markup of a news site."""
    body = "".join(f"<p>{escape(part)}</p>" for part in text or paragraphs(number))
    heading = escape(headline or title(number))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{heading} | Test Courier</title>'
        f'<meta property="article:published_time" content="{PUBLISHED_AT.isoformat()}">{head}</head><body>'
        f'<header><nav><a href="/">Home</a> <a href="/town">Town</a></nav></header><main><article><h1>{heading}</h1>'
        f"{body}</article></main><footer>Test Courier</footer></body></html>"
    )


def rss(
    urls: dict[str, str], *, updated: dict[str, str] | None = None, contents: dict[str, list[str]] | None = None
) -> str:
    """An RSS feed of these pages, by URL with their titles.

    ``updated`` adds a summary that tells of a change, ``contents`` the whole text.
    """
    items = "".join(
        f"<item><title>{escape(name)}</title><link>{escape(url)}</link><guid>{escape(url)}</guid>"
        f"<pubDate>{format_datetime(PUBLISHED_AT + timedelta(minutes=position))}</pubDate>"
        f"<description>{escape((updated or {}).get(url, ''))}</description>"
        f"{_encoded((contents or {}).get(url))}</item>"
        for position, (url, name) in enumerate(urls.items())
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0" xmlns:content="{CONTENT}"><channel>'
        f"<title>Test Courier</title>{items}</channel></rss>"
    )


CONTENT = "http://purl.org/rss/1.0/modules/content/"


def _encoded(text: list[str] | None) -> str:
    if text is None:
        return ""
    markup = "".join(f"<p>{escape(part)}</p>" for part in text)
    return f"<content:encoded><![CDATA[{markup}]]></content:encoded>"


def atom(urls: dict[str, str]) -> str:
    """An Atom feed of these pages."""
    items = "".join(
        f"<entry><title>{escape(name)}</title><link href={quoteattr(url)}/><id>{escape(url)}</id>"
        f"<updated>{PUBLISHED_AT.isoformat()}</updated></entry>"
        for url, name in urls.items()
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Test Courier</title>{items}</feed>'
