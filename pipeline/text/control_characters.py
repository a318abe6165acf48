"""Text of strangers made safe to look at: what would steer a terminal or reorder a line is shown as an escape.

A title may hold ESC, with which a terminal is told to clear its screen or to write to the clipboard, or an override of
the writing direction, with which ``gpj.exe`` reads as ``exe.jpg`` (CVE-2021-42574). Neither has a use in a title, and
removing them would hide that they are there.
"""

import re

_ABOVE_C0 = (
    "\x7f-\x9f"  # DEL and C1, which hold controls of terminals as C0 does (ECMA-48)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of direction (UAX 9)
    "\u2028\u2029\ufff9-\ufffb\U000e0000-\U000e007f"  # separators of lines, annotations, and tags, which are invisible
    "\ud800-\udfff"  # halves of pairs, which no output can encode
)
_ANY = re.compile(f"[\x00-\x1f{_ABOVE_C0}]")
_ANY_BUT_LINES = re.compile(f"[\x00-\x08\x0b-\x1f{_ABOVE_C0}]")
_IN_JSON = re.compile(f"[{_ABOVE_C0}]")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def show_controls(text: str, *, multiline: bool = False) -> str:
    r"""The text with each control character as an escape of Python's, such as ``\x1b``; all else stays as it is.

    Args:
        text: anything.
        multiline: leave line feeds and tabs as they are.

    >>> show_controls("a\x1b[2Jb")
    'a\\x1b[2Jb'
    >>> show_controls("gpj.exe\u202e"), show_controls("ab\u05d0")
    ('gpj.exe\\u202e', 'abא')
    """
    return (_ANY_BUT_LINES if multiline else _ANY).sub(_escape, text)


def escape_in_json(json_text: str) -> str:
    r"""The same JSON value, written so that no control character is in it: JSON itself escapes C0 alone (RFC 8259, 7).

    >>> escape_in_json('"\x9b\u202e"')
    '"\\u009b\\u202e"'
    """
    return _IN_JSON.sub(lambda match: "".join(f"\\u{unit:04x}" for unit in _utf16(match[0])), json_text)


def _utf16(character: str) -> list[int]:
    code = ord(character)
    return [code] if code < 0x10000 else [0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF)]
