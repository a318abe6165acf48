"""What an answer is by its media type and its first bytes."""

HTML_TYPES = frozenset({"", "text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/plain"})
"""Media types that hold HTML in the wild, some of them by a wrong label; the bytes have the last word."""

_PDF = b"%PDF-"
# First bytes of what is sent as HTML by mistake.
_MAGIC = (
    (b"\x89PNG\r\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture or sound"),
    (b"PK\x03\x04", "an archive or office document"),
    (b"\x1f\x8b", "compressed"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"{\\rtf", "an office document"),
    (b"ID3", "sound"),
    (b"\x00\x00\x00\x18ftyp", "video"),
    (b"\x00\x00\x00\x20ftyp", "video"),
)
_XML = (
    (b"<rss", "a feed"),
    (b"<feed", "a feed"),
    (b"<rdf:rdf", "a feed"),
    (b"<urlset", "a sitemap"),
    (b"<sitemapindex", "a sitemap"),
)
_HEAD = 1024  # bytes; the root element of a feed stands within


def kind_of_bytes(content_type: str, body: bytes) -> tuple[str, str] | None:
    """Why this is no HTML document, or None where it may be one; the media type in lower case, without parameters."""
    head = body[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if content_type == "application/pdf" or head.startswith(_PDF):
        return "pdf", "a PDF"
    if content_type not in HTML_TYPES:
        return "content_type", f"{content_type} is no HTML"
    for magic, meaning in _MAGIC:
        if body.startswith(magic):
            return "content_type", f"{meaning} with the label {content_type or 'of nothing'}"
    lowered = head.lower()
    if b"<html" not in lowered:
        vocabulary = next((meaning for mark, meaning in _XML if mark in lowered), None)
        if vocabulary:
            return "content_type", f"{vocabulary} with the label {content_type or 'of nothing'}"
        if head[:1] in (b"{", b"[") and b"<" not in head and body.rstrip()[-1:] in (b"}", b"]"):
            return "content_type", f"JSON with the label {content_type or 'of nothing'}"
    return None
