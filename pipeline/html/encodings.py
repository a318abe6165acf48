"""Bytes of a page become text.

Order of belief for the encoding, as browsers meet it rather than as servers declare it: byte order mark; UTF-8 that is
valid (chance does not produce it, while headers and meta elements lie); UTF-8 with a few broken bytes (a page cut in
the middle, one foreign snippet); header; meta; detection.
"""

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Labels that browsers read as a larger encoding (https://encoding.spec.whatwg.org/#names-and-labels).
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# Python's codecs also hold "idna", "unicode_escape" and others that are no encodings of pages.
_CHARACTER_SETS = re.compile(
    r"(?:ascii|iso8859|iso2022|cp\d|koi8|gb|big5|euc|shift|hz|johab|mac|tis|kz|ptcp|utf-(?:8|16|32))"
)
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{2,40})["']""", re.IGNORECASE)
_MULTIBYTE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b(J")
_STRAY = "stray-windows-bytes"
LEAST_DECLARED, LEAST_UNDECLARED = 0.5, 0.75
"""Share of the bytes above 127 that must be of UTF-8, for a page that says it is and for one that does not."""

_META_BYTES = 4096  # browsers look at 1024; CMSes put the meta element behind scripts
_SAMPLE_BYTES = 20_000


def decode(body: bytes, charset: str | None = None) -> tuple[str, str]:
    """The text of a page and the encoding that it was read in. Never fails: what fits nothing is replaced.

    >>> decode("é".encode("latin-1"), "iso-8859-1")
    ('é', 'cp1252')
    >>> decode("é".encode(), "iso-8859-1")
    ('é', 'utf-8')
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace"), name
    if wide := _unmarked_utf16(body):
        return body.decode(wide, "replace"), wide
    if b"\x1b" in body and any(escape in body for escape in _ESCAPES):
        return body.decode("iso2022_jp_2", "replace"), "iso2022_jp_2"  # its bytes are those of ASCII
    declared: list[str | None] = []
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        declared = [_codec(charset), *map(_codec, _meta_charsets(body))]
        if _share_of_utf8(body) > (LEAST_DECLARED if "utf-8" in declared else LEAST_UNDECLARED):
            return body.decode("utf-8", _STRAY), "utf-8"
    candidates = [name for name in dict.fromkeys(declared) if name and not name.startswith("utf")]
    for name in candidates:
        try:
            return body.decode(name), name
        except UnicodeDecodeError:
            continue
    name = (candidates or [_detected(body)])[0]
    return body.decode(name, "replace"), name


def _meta_charsets(body: bytes) -> list[str]:
    head = body[:_META_BYTES]
    return [m.group(1).decode("ascii") for pattern in (_META_CHARSET, _XML_ENCODING) if (m := pattern.search(head))]


def _codec(label: str | None) -> str | None:
    """Python's name of an encoding that decodes at least what the label promises."""
    try:
        name = codecs.lookup((label or "").strip().strip("\"'")).name
    except (LookupError, ValueError):
        return None
    return _WIDER.get(name, name) if _CHARACTER_SETS.match(name) else None


def _unmarked_utf16(body: bytes) -> str | None:
    start = body[:400]
    even, odd = start[::2].count(0), start[1::2].count(0)
    most, few = len(start) // 3, len(start) // 20
    if len(start) < 8 or (even > few and odd > few):  # NUL bytes in a row are rubbish in the page
        return None
    if odd > most:
        return "utf-16-le"
    return "utf-16-be" if even > most else None


def _share_of_utf8(body: bytes) -> float:
    """How many of the bytes above 127 belong to sequences that only UTF-8 makes."""
    high = len(body.translate(None, bytes(range(128))))
    return sum(map(len, _MULTIBYTE.findall(body))) / (high or 1)


def _read_stray(error: UnicodeError) -> tuple[str, int]:
    """A single byte that is no UTF-8 is of Windows' code page, pasted in; a broken sequence is not to be read."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    following = error.object[error.end : error.end + 1]
    is_single = len(stray) == 1 and not (following and 0x80 <= following[0] < 0xC0)
    text = stray.decode("cp1252", "replace") if is_single and error.end < len(error.object) else "\ufffd"
    return text, error.end


codecs.register_error(_STRAY, _read_stray)


def _detected(body: bytes) -> str:
    # Imported late: it takes long to load, and one page in a thousand needs it.
    from charset_normalizer import from_bytes

    # Markup is ASCII in every candidate; the detector should see what tells them apart.
    foreign = b" ".join(re.findall(rb"[^<>]{0,40}[\x80-\xff][^<>]{0,40}", body[:1_000_000]))[:_SAMPLE_BYTES]
    best = from_bytes(foreign or body[:_SAMPLE_BYTES]).best()
    name = _codec(best.encoding if best else None) or "cp1252"
    # for a few bytes it guesses EBCDIC: markup that is readable as ASCII says otherwise
    return name if b"</a>".decode(name, "replace") == "</a>" else "cp1252"
