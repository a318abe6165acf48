"""Fields that a site's own rule names: they come before all that the page says otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.metadata.bylines.person_names import names_by_kind, read_names
from pipeline.metadata.datelines import DateLocale
from pipeline.metadata.title_parts import tidy
from pipeline.metadata.zones import in_zone
from pipeline.model import Metadata, Provenance

Overrides = Mapping[str, tuple[str, tuple[str, ...]]]
"""For each field the source that named it, and the values as written."""

_SURE = 0.99


def apply_overrides(metadata: Metadata, given: Overrides, locale: DateLocale, site_names: tuple[str, ...]) -> Metadata:
    """The metadata with these fields in the place of what was found; values that cannot be read change nothing."""
    for name, (source, values) in given.items():
        changes = _read(name, values, locale, site_names)
        if changes and changes.get(name):
            before = metadata.provenance.get("signed" if name == "authors" else name)
            others = () if before is None else ((before.source, str(getattr(metadata, name))),)
            if getattr(metadata, name) == changes[name]:
                others = ()
            chosen = Provenance(f"rule:{source}", _SURE, others)
            provenance = {**metadata.provenance, "signed" if name == "authors" else name: chosen}
            metadata = replace(metadata, **changes, provenance=provenance)
    return metadata


def _read(name: str, values: tuple[str, ...], locale: DateLocale, site_names: tuple[str, ...]) -> dict[str, Any]:
    """The field, and what is known with it; nothing where the values cannot be read."""
    match name:
        case "tags":
            return {name: tuple(dict.fromkeys(filter(None, map(tidy, values))))}
        case "authors":
            return dict(names_by_kind(read_names(values, site_names)))
        case "published_at" | "modified_at":
            if (date := locale.read(values[0])) is None:
                return {}
            at = in_zone(date, (), locale.host, locale.language_tag)
            return {name: at, name.replace("_at", "_precision"): "time" if date.has_time else "day"}
        case _:
            return {name: tidy(values[0])}
