"""Feed documents become entries.

XML: ``document`` (bytes to markup) → ``frame`` → ``repair`` → ``tree`` → ``entries``, or ``sitemap``.
JSON: ``jsonfeed``. Both lead to ``fields``: what an entry is, and which is which.
"""

from pipeline.parse.feed import parse_feed
from pipeline.parse.sitemap import merge_children

__all__ = ["merge_children", "parse_feed"]
