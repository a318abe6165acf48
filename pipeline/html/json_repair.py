"""JSON as people make it in templates, made JSON."""

import re

_OUTSIDE = re.compile(r'["{}\[\],]|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_INSIDE = re.compile(r'["\\]')
_AFTER_KEY = re.compile(r"\s*(?:[,:}\]]|$)")
# Behind a comma another value or key begins: a word that does not is still of the string. A key: the comma is missing.
_AFTER_VALUE = re.compile(
    r"""\s*(?:[}\]]|/[/*]|$|,\s*(?:["{\[}\]\d,-]|/[/*]|true|false|null|NaN|Infinity|$)|"[\w@:.-]{1,40}"\s*:)"""
)


def repair_json(text: str) -> str:
    """JSON without the faults that people make in templates; the text as it was where it has none.

    Comments, commas before a bracket and brackets that close nothing go, commas between values are added, and what was
    cut off is closed behind its last whole value. A quotation mark inside a string is escaped, unless a bracket, a key
    or a comma and another value follow; a backslash that starts no escape of JSON is doubled (before an apostrophe it
    goes).
    """
    repair = _Repair()
    at = 0
    while match := _OUTSIDE.search(text, at):
        repair.add_plain(text[at : match.start()])
        at = match.end()
        if match.group() != '"':
            repair.add_mark(match.group())
        else:
            piece, at, is_closed = _string(text, at, repair.begin_string())
            if not is_closed:
                return repair.finish("")
            repair.add_string(piece)
    return repair.finish(text[at:])


class _Repair:
    """JSON that is put together; ``last`` is the last character of it that is no blank."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._open: list[str] = []  # brackets
        self._whole = self._comma = 0  # how many pieces end in a whole value; where the last comma is among them
        self._last = ""

    @property
    def _is_value(self) -> bool:
        return self._last == ":" or self._open[-1:] == ["]"]

    def add_plain(self, text: str) -> None:
        self._out.append(text)
        self._last = text.rstrip()[-1:] or self._last

    def begin_string(self) -> re.Pattern[str]:
        """What may follow the string that comes now."""
        self._separate()
        return _AFTER_VALUE if self._is_value else _AFTER_KEY

    def add_string(self, inside: str) -> None:
        self._add('"', f'"{inside}"', is_whole=self._is_value)

    def add_mark(self, mark: str) -> None:
        if mark == ",":
            self._whole, self._comma = len(self._out), len(self._out)
            self._add(mark, "" if self._last in ",{[" else mark)
        elif mark in "{[":
            self._separate()
            self._open.append("}" if mark == "{" else "]")
            self._add(mark, mark, is_whole=True)
        elif mark in "}]" and self._open:
            if self._last == ",":
                self._out[self._comma] = ""
            self._open.pop()
            self._add(mark, mark, is_whole=True)

    def finish(self, rest: str) -> str:
        if not self._open:
            return "".join([*self._out, rest])
        return "".join([*self._out[: self._whole], *reversed(self._open)])

    def _add(self, last: str, piece: str, *, is_whole: bool = False) -> None:
        self._out.append(piece)
        self._last = last
        if is_whole:
            self._whole = len(self._out)

    def _separate(self) -> None:
        """Put the comma that is missing before a value or key."""
        if self._open and self._last not in ",:{[":
            self._add(",", ",")


def _string(text: str, at: int, after: re.Pattern[str]) -> tuple[str, int, bool]:
    """The inside of a string that starts at ``at``, made valid; where the text goes on after it; whether it ends."""
    out = []
    while match := _INSIDE.search(text, at):
        out.append(text[at : match.start()])
        at = match.end()
        if match.group() == "\\":
            following = text[at : at + 1]
            if following and following in '"\\/bfnrtu':
                out.append("\\" + following)
            else:
                out.append(following if following == "'" else "\\\\" + following)
            at += 1
        elif after.match(text, at):
            return "".join(out), at, True
        else:
            out.append('\\"')
    return "".join(out) + text[at:], len(text), False
