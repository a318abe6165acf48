"""Fields that a site's own rule names: they come before all that the page says otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.metadata.datelines import Setting
from pipeline.metadata.headline import tidy
from pipeline.metadata.names import read_names
from pipeline.metadata.zones import in_zone
from pipeline.model import Metadata, Provenance

Given = Mapping[str, tuple[str, tuple[str, ...]]]
"""For each field the source that named it, and the values as written."""

_SURE = 0.99


def with_given(metadata: Metadata, given: Given, setting: Setting, site_names: tuple[str, ...]) -> Metadata:
    """The metadata with these fields in the place of what was found; values that cannot be read change nothing."""
    for name, (source, values) in given.items():
        changes = _READERS[name](name, values, setting, site_names)
        if changes and changes.get(name):
            before = metadata.provenance.get("signed" if name == "authors" else name)
            others = () if before is None else ((before.source, str(getattr(metadata, name))),)
            if getattr(metadata, name) == changes[name]:
                others = ()
            told = Provenance(f"rule:{source}", _SURE, others)
            provenance = {**metadata.provenance, "signed" if name == "authors" else name: told}
            metadata = replace(metadata, **changes, provenance=provenance)
    return metadata


def _line(name: str, values: tuple[str, ...], _setting: Setting, _names: tuple[str, ...]) -> dict[str, Any]:
    return {name: tidy(values[0])}


def _list(name: str, values: tuple[str, ...], _setting: Setting, _names: tuple[str, ...]) -> dict[str, Any]:
    return {name: tuple(dict.fromkeys(filter(None, map(tidy, values))))}


def _time(name: str, values: tuple[str, ...], setting: Setting, _names: tuple[str, ...]) -> dict[str, Any]:
    moment = setting.read(values[0])
    if moment is None:
        return {}
    at = in_zone(moment, (), setting.host, setting.language_tag)
    precision = "time" if moment.has_time else "day"
    return {name: at, name.replace("_at", "_precision"): precision}


def _people(name: str, values: tuple[str, ...], _setting: Setting, site_names: tuple[str, ...]) -> dict[str, Any]:
    names = read_names(values, site_names)
    return {
        name: tuple(each.text for each in names if each.kind == "person"),
        "signed": tuple(each.text for each in names),
        "agencies": tuple(each.text for each in names if each.kind == "agency"),
        "newsrooms": tuple(each.text for each in names if each.kind == "newsroom"),
    }


_READERS: Mapping[str, Callable[[str, tuple[str, ...], Setting, tuple[str, ...]], dict[str, Any]]] = {
    "title": _line,
    "section": _line,
    "description": _line,
    "image": _line,
    "tags": _list,
    "authors": _people,
    "published_at": _time,
    "modified_at": _time,
}
