"""Feed documents become entries.

XML: ``document`` (bytes to markup) → ``frame`` → ``repair`` → feedparser → ``entries``, or ``sitemap``.
JSON: ``jsonfeed``. Both lead to ``fields`` (what an entry is) and ``identity`` (which is which).
"""

from pipeline.parse.feed import parse_feed
from pipeline.parse.sitemap import with_children

__all__ = ["parse_feed", "with_children"]
