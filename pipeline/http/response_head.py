"""The head of an HTTP/1.1 answer made fit for a strict parser, as browsers and curl read it (RFC 9112, 2.2 and 5).

Servers send what no header may be: names with spaces, lines without a colon, ``chunked`` twice. The body behind is
what readers came for, and nothing of it depends on those lines.
"""

import re
from typing import Final

MAX_HEAD: Final = 96 * 1024
"""Bytes of a head; a longer one is left to the parser, which refuses it."""

HEAD_END: Final = re.compile(rb"\r?\n\r?\n")

_STATUS_LINE = re.compile(rb"(?:ICY|HTTP(?P<version>/\d(?:\.\d)?)?)[ \t]+(?P<rest>\d{3}(?:[ \t].*)?)", re.IGNORECASE)
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CODINGS: Final = frozenset({b"chunked", b"gzip", b"deflate", b"compress"})
_LENGTH = re.compile(rb"\d{1,19}")


def repair_head(head: bytes) -> bytes:
    r"""The head, up to and with the empty line behind it, without what a strict parser refuses; others as they are.

    >>> repair_head(b"http/1.1 200 OK\r\nX Powered By: PHP\r\nServer : x\r\nno colon\r\n\r\n")
    b'HTTP/1.1 200 OK\r\nServer: x\r\n\r\n'
    """
    first, *lines = [line.rstrip(b"\r") for line in head.lstrip(b"\r\n").split(b"\n")]
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        return head
    version = b"/1.1" if (status["version"] or b"")[:2] == b"/2" else status["version"] or b"/1.0"
    kept = [b"HTTP" + version + b" " + b" ".join(_CONTROLS.sub(b" ", status["rest"]).split(None, 1))]
    codings: list[bytes] = []
    for name, value in _read_fields(lines):
        if name.lower() == b"transfer-encoding":
            codings += [word.strip(b' \t"').lower() for word in value.split(b",")]
        elif name.lower() == b"content-length":
            kept += _repair_length(value)
        else:
            kept.append(name + b": " + value)
    # Said twice it is done once; unknown codings are none; what is packed for the way is as good as content.
    if words := list(dict.fromkeys(word for word in codings if word in _CODINGS)):
        if words[:-1] in ([b"gzip"], [b"deflate"]) and words[-1] == b"chunked":
            kept.append(b"Content-Encoding: " + words.pop(0))
        kept.append(b"Transfer-Encoding: " + b", ".join(words))
        kept = [line for line in kept if not line.lower().startswith(b"content-length:")]
    return b"\r\n".join([*kept, b"", b""])


def _read_fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    """The header fields among these lines; those that continue the one before are put together with it."""
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in {b" ", b"\t"} and fields:
            name, value = fields.pop()
            fields.append((name, (value + b" " + _CONTROLS.sub(b"", line.strip())).strip()))
            continue
        name, colon, value = line.strip().partition(b":")
        name = name.rstrip()
        if colon and _TOKEN.fullmatch(name):
            fields.append((name, _CONTROLS.sub(b"", value.strip())))
    return fields


def _repair_length(value: bytes) -> list[bytes]:
    """The line of a ``Content-Length``, without a plus sign; none for what is no number: the body ends where it ends.

    Two lengths that differ are left to the parser to refuse.
    """
    words = [word.strip().removeprefix(b"+") for word in value.split(b",")]
    is_plain = all(_LENGTH.fullmatch(word) for word in words)
    return [b"Content-Length: " + b", ".join(dict.fromkeys(words))] if is_plain else []
