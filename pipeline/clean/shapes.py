"""Boilerplate that is known by its form, in any language."""

import re

_JSON = re.compile(r"""^\s*[\[{]\s*["'{\[].*["'\]}\d]\s*[\]}]\s*;?$""", re.DOTALL)
_JSON_KEYS = re.compile(r"""["']@?(?:type|context|id|graph|headline|url)["']\s*:\s*["'{\[]""")
_SCRIPT = re.compile(r"^\s*(?:\(?function\s*\(|window\.\w|document\.\w+\(|googletag\.|\w+\.push\(\s*[\[{])")
_YEAR = r"(?:19|20)\d\d"
_COPYRIGHT = re.compile(
    rf"^\W*(?:copyright\s*)?(?:[©ⓒ]|\(c\)\s*{_YEAR}|copyright\s*(?:by\b|\(c\)|{_YEAR}))", re.IGNORECASE
)
_EMBEDDED = re.compile(r"^pic\.twitter\.com/\S+$|^$")
_NETWORK = r"""(?:facebook|twitter|x|instagram|linkedin|whatsapp|telegram|pinterest|reddit|e-?mail|mail|messenger|
    threads|bluesky|mastodon|xing|flipboard|tiktok|youtube|viber|signal|vkontakte|vk|line|weibo|wechat|pocket|tumblr|
    copy\ link|print|rss|google\ news)"""
# One name alone may be a heading of an article about that network.
_NETWORKS = re.compile(rf"^\W*(?:{_NETWORK}\b\W+){{1,15}}{_NETWORK}\W*$", re.IGNORECASE | re.VERBOSE)
_SYMBOLS_ONLY = re.compile(r"^[^\w(){}\[\]<>$#;=]+$")

MAX_NOTICE = 300
"""Characters; a copyright line that is longer holds something else as well."""


def shape_of(paragraph: str) -> str | None:
    """The reason to remove the paragraph for its form, or None.

    >>> shape_of('{"@type": "NewsArticle", "headline": "x"}')
    'json'
    >>> shape_of("© 2024 The Harbour Post. All rights reserved.")
    'copyright'
    """
    if _JSON.match(paragraph) and _JSON_KEYS.search(paragraph):
        return "json"
    if _SCRIPT.match(paragraph) and ("{" in paragraph or ";" in paragraph):
        return "json"
    if len(paragraph) <= MAX_NOTICE:
        if _COPYRIGHT.match(paragraph):
            return "copyright"
        if _EMBEDDED.match(paragraph):
            return "placeholder"
        if _NETWORKS.match(paragraph):
            return "share"
    return "placeholder" if _SYMBOLS_ONLY.match(paragraph) and len(paragraph) < MAX_NOTICE else None
