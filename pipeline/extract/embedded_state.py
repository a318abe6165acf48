"""Text that a page holds as data: markup within JSON, and the state of applications that run in the browser.

Content systems keep a story as a list of blocks: Arc as ``{"type": "text", "content": …}``, Portable Text as
``{"_type": "block", "children": [{"text": …}]}``; React's server components stream elements as
``["$", "p", key, {"children": …}]`` in pushed strings.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from lxml import html

from pipeline.extract.blocks import segment_page
from pipeline.extract.prose import is_prose, width_of
from pipeline.html.decode import Document
from pipeline.text.character_references import unescape_references

MAX_STATE = 3_000_000
"""Characters of scripts that are searched."""

MAX_VALUES = 200_000
"""Values of one state that are looked at."""

FEWEST_BLOCKS = 3
"""Paragraphs that make a list of blocks a story."""

_STATE = re.compile(r'"((?:[^"\\]|\\.){400,}+)("?)')  # without its end it is passed over whole, not mark by mark
_MARKUP = re.compile(r"</?(?:p|br|div|h[1-6]|li|ul|ol|blockquote)\b[^<>]*>", re.IGNORECASE)
_PARAGRAPH_MARKUP = re.compile(r"(?:<|\\u003c)p\b", re.IGNORECASE)
_PUSHED = re.compile(r"__next_f\.push\(\s*(?=\[)")
_ASSIGNED = re.compile(r"[\[{]")
_TEXT_KEYS = ("content", "text", "html", "value", "body")
_PARAGRAPH_TAGS = frozenset(("p", "h2", "h3", "h4", "li", "blockquote"))
_DECODER = json.JSONDecoder(strict=False)


def total_width(paragraphs: Sequence[str]) -> float:
    """The length of all of them, in characters of scripts with spaces."""
    return sum(map(width_of, paragraphs))


def paragraphs_of(text: str) -> tuple[str, ...]:
    """Paragraphs of a text that may hold markup, escaped or not."""
    if "&lt;" in text or "&amp;lt;" in text:
        text = unescape_references(text)
    if _MARKUP.search(text):
        try:
            tree = html.fragment_fromstring(text, create_parent="div")
        except Exception:  # noqa: BLE001  # lxml meets hostile input here; the text is used as it is
            return tuple(line.strip() for line in text.splitlines() if line.strip())
        return tuple(block.text for block in segment_page(tree).blocks)
    return tuple(line.strip() for line in unescape_references(text).splitlines() if line.strip())


def markup_in_state(document: Document) -> tuple[str, ...]:
    """The longest text with paragraphs that a script of the page holds as a JSON string."""
    return max(
        (text for source in _scripts(document) for text in _markup_in_strings(source)), key=total_width, default=()
    )


def blocks_in_state(document: Document) -> tuple[str, ...]:
    """The longest text that the page's scripts hold as a list of blocks, or as a stream of elements."""
    best: tuple[str, ...] = ()
    flight = ""
    for source in _scripts(document):
        flight += "".join(_pushed(source))
        best = max((best, *map(_longest_list, _values_in(source))), key=total_width)
    lines = (line.partition(":")[2] for line in flight.split("\n"))
    streamed = (text for line in lines if line[:1] == "[" for value in _decode(line) for text in _elements(value))
    return max(best, *_markup_in_strings(flight), tuple(filter(is_prose, streamed)), key=total_width)


def _scripts(document: Document) -> Iterator[str]:
    budget = MAX_STATE
    for script in document.tree.iter("script"):
        source = script.text or ""
        if source and len(source) <= budget and "ld+json" not in (script.get("type") or ""):
            budget -= len(source)
            yield source


def _markup_in_strings(source: str) -> Iterator[tuple[str, ...]]:
    if _PARAGRAPH_MARKUP.search(source):
        for match in _STATE.finditer(source):
            if match[2] and len(_PARAGRAPH_MARKUP.findall(match[1])) >= FEWEST_BLOCKS:
                yield paragraphs_of(_decoded(match[1]))


def _pushed(source: str) -> Iterator[str]:
    """The strings of a stream of server components."""
    if begin := _PUSHED.search(source):
        try:
            value, _ = _DECODER.raw_decode(source, begin.end())
        except (ValueError, RecursionError):
            return
        yield from (part for part in value[1:2] if isinstance(part, str))


def _values_in(source: str) -> Iterator[Any]:
    """The JSON values of a script: all of it, or what is assigned to its variables."""
    at = 0
    while opening := _ASSIGNED.search(source, at):
        try:
            value, at = _DECODER.raw_decode(source, opening.start())
        except (ValueError, RecursionError):
            at = opening.end()
            following = source.find("=", at)  # a function or an object of JavaScript: the next assignment
            if following < 0:
                return
            at = following + 1
        else:
            yield value


def _decode(text: str) -> list[Any]:
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return []
    return [value] if isinstance(value, list) else []


def _longest_list(state: object) -> tuple[str, ...]:
    """The longest text that a list of blocks makes."""
    best: tuple[str, ...] = ()
    stack, looked_at = [state], 0
    while stack and looked_at < MAX_VALUES:
        value = stack.pop()
        looked_at += 1
        if isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(inner for inner in value if isinstance(inner, dict | list))
            texts = [text for inner in value if isinstance(inner, dict) and (text := _text_of_block(inner))]
            paragraphs = tuple(part for text in texts for part in paragraphs_of(text))
            if sum(map(is_prose, paragraphs)) >= FEWEST_BLOCKS:
                best = max(best, paragraphs, key=total_width)
    return best


def _text_of_block(block: dict[str, Any]) -> str:
    """The text of one block of a story; empty where it is a picture or anything else."""
    children = block.get("children")
    if isinstance(children, list):
        texts = (child.get("text") for child in children if isinstance(child, dict))
        return "".join(text for text in texts if isinstance(text, str))
    if not any(isinstance(block.get(key), str) for key in ("type", "_type", "__typename", "kind")):
        return ""
    return next((text for key in _TEXT_KEYS if isinstance(text := block.get(key), str) and " " in text.strip()), "")


def _elements(value: object) -> Iterator[str]:
    """The texts of the paragraphs among streamed elements, in document order."""
    stack = [value]
    while stack:
        element = stack.pop()
        if isinstance(element, dict):
            stack.append(element.get("children"))
        elif isinstance(element, list):
            if element[:1] == ["$"] and len(element) > 3 and element[1] in _PARAGRAPH_TAGS:
                yield _inner_text(element[3])
            else:
                stack.extend(reversed(element))


def _inner_text(value: object) -> str:
    if isinstance(value, dict):
        return _inner_text(value.get("children"))
    if isinstance(value, list):
        return _inner_text(value[3]) if value[:1] == ["$"] and len(value) > 3 else "".join(map(_inner_text, value))
    return value if isinstance(value, str) else ""


def _decoded(literal: str) -> str:
    try:
        text = str(json.loads(f'"{literal}"', strict=False))
    except ValueError:
        return literal
    # a string within a string: state that was serialised twice
    return _decoded(text) if "\\u003c" in text and "\n" not in text and '"' not in text else text
