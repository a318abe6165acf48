"""Feed documents become entries: ``document`` (bytes to markup) → feedparser → ``entries`` → ``identity``."""

from pipeline.parse.feed import parse_feed
from pipeline.parse.sitemap import with_children

__all__ = ["parse_feed", "with_children"]
