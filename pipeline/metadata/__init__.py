"""The metadata of an article, each field with where it came from and how sure it is.

Every field is chosen among all that name it (JSON-LD, meta elements, microdata, the printed page, the address, the
feed) by weighted agreement; what disagrees is kept as an alternative. Reading survives any tree and any values.
"""

from datetime import datetime, timedelta
from typing import Any

from lxml.etree import _Element

from pipeline.decode import Elements
from pipeline.metadata.addresses import host_of, read_address, read_image
from pipeline.metadata.authors import read_authors
from pipeline.metadata.datelines import Setting
from pipeline.metadata.details import (
    read_access,
    read_description,
    read_kind,
    read_publisher,
    read_section,
    read_site_name,
    read_tags,
    section_names,
    site_names,
)
from pipeline.metadata.evidence import Choice  # noqa: TC001  # local annotations are read by people too
from pipeline.metadata.given import Given, with_given
from pipeline.metadata.headline import read_title
from pipeline.metadata.language import language_tags, read_language
from pipeline.metadata.surroundings import look_around
from pipeline.metadata.times import read_times
from pipeline.model import Metadata, Provenance
from pipeline.structured import Structured, read_structured

__all__ = ["read_metadata"]

CLOCK_ERROR = timedelta(days=2)  # zones and wrong clocks: a publication may lie this far in the future


def read_metadata(
    tree: _Element,
    url: str,
    structured: Structured | None = None,
    *,
    published_hint: datetime | None = None,
    title_hint: str | None = None,
    now: datetime | None = None,
    given: Given | None = None,
    elements: Elements | None = None,
) -> Metadata:
    """The metadata of the page's article.

    Args:
        tree: the page's root element; it is not changed.
        url: where the page was found, absolute.
        structured: what `read_structured` returned for this tree, if it has been called.
        published_hint: the time of publication as a feed announced it.
        title_hint: the headline as a feed announced it.
        now: later dates (with two days' grace) are not believed; without it all are.
        given: fields that a rule of the site names; they come before all others.
        elements: those of the tree, where they have been gathered.
    """
    elements = elements or Elements(tree)
    structured = structured or read_structured(tree, url, elements)
    own = site_names(structured, url)
    language = read_language(tree, structured)
    tags = [tag for _, _, tag in language_tags(tree, structured)]
    setting = Setting(
        language=language.value if language else None,
        language_tag=tags[0] if tags else None,
        host=host_of(url),
        latest=now + CLOCK_ERROR if now else None,
    )
    title = read_title(elements, structured, own, section_names(structured), title_hint)
    around = look_around(tree, elements, title.value if title else None)
    times = read_times(around, url, structured, setting, published_hint)
    names, signed_provenance = read_authors(around, structured, own)
    choices: dict[str, Choice[Any] | None] = {
        "title": title,
        "url": read_address(url, structured),
        "language": language,
        "section": read_section(structured),
        "tags": read_tags(structured),
        "description": read_description(structured),
        "image": read_image(url, structured),
        "site_name": read_site_name(structured, url),
        "publisher": read_publisher(structured),
        "access": read_access(structured),
        "kind": read_kind(structured),
    }
    provenance: dict[str, Provenance | None] = {
        "published_at": times.published_provenance,
        "modified_at": times.modified_provenance,
        "signed": signed_provenance,
    } | {name: choice.provenance for name, choice in choices.items() if choice}
    metadata = Metadata(
        **{name: choice.value for name, choice in choices.items() if choice},
        signed=tuple(name.text for name in names),
        authors=tuple(name.text for name in names if name.kind == "person"),
        agencies=tuple(name.text for name in names if name.kind == "agency"),
        newsrooms=tuple(name.text for name in names if name.kind == "newsroom"),
        published_at=times.published_at,
        published_precision=times.published_precision,
        modified_at=times.modified_at,
        modified_precision=times.modified_precision,
        provenance={name: value for name, value in provenance.items() if value},
    )
    return with_given(metadata, given, setting, own) if given else metadata
