"""Feed documents become entries: ``document`` (bytes to markup) → feedparser → ``entries`` → ``identity``."""

from pipeline.parse.feed import parse_feed

__all__ = ["parse_feed"]
