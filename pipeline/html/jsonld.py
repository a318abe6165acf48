"""JSON-LD: scripts in, nodes out, however broken the JSON.

A script is read as it stands; only when that fails is it unwrapped (HTML comments, CDATA, escaped quotes) and then
repaired (comments, commas too many or missing, stray quotes, wrong escapes, a cut end). A repair counts only if the
whole of it parses.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pipeline.html.json_repair import repair_json
from pipeline.text.character_references import unescape_references

Node = dict[str, Any]

MAX_DEPTH = 30  # levels of lists and objects below the script's root; the deepest graph met in the wild has 9
MAX_NODES = 4_000  # per page: shops list their whole range in one script
MAX_REPAIRED = 1_000_000  # characters of a script that is no JSON: it takes a second a million to mend one

# Under these keys stand other things than the page itself: teasers, comments, the parts of a series.
ELSEWHERE = frozenset(
    "itemlistelement relatedlink haspart mentions about citation comment comments review reviews isrelatedto"
    " liveblogupdate isbasedon subjectof recommendation significantlink associatedmedia video audio itemreviewed"
    " hasofferCatalog makesoffer blogpost isSimilarTo knowsabout exampleofwork workexample".lower().split()
)

# What hides a script from readers that take it for text. Anchored at their side of it, and with few blanks:
# wherever white space may begin a match anywhere, a million blanks take hours.
_OPENING = re.compile(r"(?://|/\*)?\s{0,9}(?:<!--|<!\[CDATA\[)\s{0,9}(?:\*/)?")
_CLOSING = re.compile(r"(?://|/\*)?\s{0,9}(?:-->|\]\]>)\s{0,9}(?:\*/)?\s{0,9};?$")
_CLOSING_LENGTH = 40
# Escapes of what neither XML nor a database can hold: control characters and halves of surrogate pairs.
_UNSTORABLE = re.compile(
    r"\\u00(?:0[0-8bcef]|1[0-9a-f])|\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2})"
    r"|(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}|[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]",
    re.IGNORECASE,
)
_DECODER = json.JSONDecoder(strict=False)  # strict=False: line breaks inside strings are common
_GAP = re.compile(r"[\s,;]*")


@dataclass(frozen=True, slots=True)
class JsonLdNode:
    """A node of JSON-LD with its place: how deep it lies, and whether it is about something else than the page."""

    node: Node
    depth: int
    elsewhere: bool


def parse_script(text: str) -> list[Any]:
    """The JSON values of one script: usually one, none where nothing can be read.

    >>> parse_script('<!-- {"@type": "Article", "name": "A "quoted" word", } -->')
    [{'@type': 'Article', 'name': 'A "quoted" word'}]
    """
    text = _UNSTORABLE.sub("", text.lstrip("\ufeff").strip())
    if not text:
        return []
    for attempt in chain([text], _rewritings(text)):
        values = _decode(attempt)
        if values is not None:
            return [value for value in _prune(values) if value]
    return []


def _prune(values: list[Any]) -> list[Any]:
    """The values without what lies deeper than `MAX_DEPTH`: what reads them may recurse."""
    stack: list[tuple[Any, int]] = [(values, 0)]
    while stack:
        value, depth = stack.pop()
        if depth > MAX_DEPTH:
            value.clear()
        inside = value.values() if isinstance(value, dict) else value
        stack.extend((inner, depth + 1) for inner in inside if isinstance(inner, dict | list))
    return values


def _rewritings(text: str) -> Iterator[str]:
    bare = text
    for _ in range(2):
        bare = bare[_end(_OPENING, bare, 0) :].strip()
        bare = bare[:-_CLOSING_LENGTH] + _CLOSING.sub("", bare[-_CLOSING_LENGTH:])
        bare = bare.strip()
    bare = bare.removesuffix(";")
    if bare != text:
        yield bare
    if re.match(r"[\[{]\s*&(?:quot|#0*34|#[xX]0*22);", bare):
        bare = unescape_references(bare)
        yield bare
    if len(bare) <= MAX_REPAIRED:
        yield repair_json(bare)


def _decode(text: str) -> list[Any] | None:
    """All values of the text, one after another; None where any part of it is no JSON."""
    values, at = [], _end(_GAP, text, 0)
    try:
        while at < len(text):
            value, end = _DECODER.raw_decode(text, at)
            values.append(value)
            at = _end(_GAP, text, end)
    except (ValueError, RecursionError):  # RecursionError: brackets nested a thousand deep
        return None
    return values


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def types_of(node: Node) -> tuple[str, ...]:
    """The node's types, in lower case, without the vocabulary's address.

    >>> types_of({"@type": ["http://schema.org/NewsArticle", "Article"]})
    ('newsarticle', 'article')
    """
    declared = node.get("@type", node.get("type"))
    listed = declared if isinstance(declared, list) else [declared]
    names = (re.split(r"[/#:]", name)[-1].strip().lower() for name in listed if isinstance(name, str))
    return tuple(name for name in names if name)


def walk_nodes(values: Iterable[Any]) -> list[JsonLdNode]:
    """Every node in the values, in document order, nested ones after those that hold them."""
    nodes: list[JsonLdNode] = []
    stack = [(value, 0, False) for value in reversed(list(values))]
    while stack and len(nodes) < MAX_NODES:
        value, depth, elsewhere = stack.pop()
        if isinstance(value, list):
            stack.extend((inner, depth, elsewhere) for inner in reversed(value) if isinstance(inner, dict | list))
        elif isinstance(value, dict):
            if "@graph" not in value or "@type" in value:
                nodes.append(JsonLdNode(value, depth, elsewhere))
            for key, inner in reversed(value.items()):
                if isinstance(inner, dict | list):
                    deeper = depth if key == "@graph" else depth + 1
                    stack.append((inner, deeper, elsewhere or key.lower() in ELSEWHERE))
    return nodes


def index_by_id(nodes: Iterable[JsonLdNode]) -> dict[str, Node]:
    """The nodes that others may refer to, by their ``@id``; the fullest where several share one."""
    index: dict[str, Node] = {}
    for item in nodes:
        name = item.node.get("@id")
        if isinstance(name, str) and len(item.node) > len(index.get(name, ())):
            index[name] = item.node
    return index


def resolve_references(node: Node, index: dict[str, Node]) -> Node:
    """The node with its references (``{"@id": …}`` alone) replaced by what they refer to, one level deep."""

    def look_up(value: object) -> object:
        if isinstance(value, list):
            return [look_up(inner) if isinstance(inner, dict) else inner for inner in value]
        if not isinstance(value, dict):
            return value
        name = value.get("@id")
        if isinstance(name, str) and set(value) <= {"@id", "@type", "name"} and name in index:
            return {**index[name], **{key: inner for key, inner in value.items() if inner}}
        return value

    return {key: look_up(value) for key, value in node.items()}
