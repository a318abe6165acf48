"""The metadata of an article, each field with where it came from and how sure it is.

Every field is chosen among all that name it (JSON-LD, meta elements, microdata, the printed page, the address, the
feed) by weighted agreement; what disagrees is kept as an alternative. Reading survives any tree and any values.
"""

from datetime import datetime, timedelta
from typing import Any

from lxml.etree import _Element

from pipeline.html.decode import Elements
from pipeline.html.structured_data import Structured, read_structured
from pipeline.metadata.bylines.authors import read_authors
from pipeline.metadata.bylines.person_names import BylineName, names_by_kind
from pipeline.metadata.datelines import DateLocale
from pipeline.metadata.details import (
    list_sections,
    list_site_names,
    read_description,
    read_kind,
    read_paywall,
    read_publisher,
    read_section,
    read_site_name,
    read_tags,
)
from pipeline.metadata.evidence import FieldChoice  # local annotations are read by people too
from pipeline.metadata.headline import read_title
from pipeline.metadata.headline_context import find_headline_context
from pipeline.metadata.language import code_of, language_tags, read_language
from pipeline.metadata.overrides import Overrides, apply_overrides
from pipeline.metadata.page_addresses import read_address, read_image, site_or_none
from pipeline.metadata.times import Times, read_times
from pipeline.model import Metadata, Provenance

__all__ = ["read_metadata"]

_Choices = dict[str, FieldChoice[Any] | None]
CLOCK_ERROR = timedelta(days=2)  # zones and wrong clocks: a publication may lie this far in the future


def read_metadata(
    tree: _Element,
    url: str,
    structured: Structured | None = None,
    *,
    published_hint: datetime | None = None,
    title_hint: str | None = None,
    now: datetime | None = None,
    given: Overrides | None = None,
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
    site = site_or_none(url) or ""
    own = list_site_names(structured, site, elements)
    language = read_language(tree, elements, structured, site)
    locale = _read_locale(tree, structured, site, language, now)
    title = read_title(elements, structured, own, list_sections(structured), title_hint, url)
    context = find_headline_context(tree, elements, title.value if title else None)
    times = read_times(context, url, structured, locale, published_hint)
    signers = read_authors(context, structured, own)
    choices: _Choices = {"title": title, "language": language} | _read_details(structured, url, site)
    metadata = _assemble(choices, times, *signers)
    return apply_overrides(metadata, given, locale, own) if given else metadata


def _read_locale(
    tree: _Element, structured: Structured, site: str, language: FieldChoice[str] | None, now: datetime | None
) -> DateLocale:
    code = language.value if language else None
    tags = [tag for _, _, tag in language_tags(tree, structured)]
    return DateLocale(
        language=code,
        language_tag=next((tag for tag in tags if code_of(tag) == code), code),
        host=site,
        latest=now + CLOCK_ERROR if now else None,
    )


def _read_details(structured: Structured, url: str, site: str) -> _Choices:
    return {
        "url": read_address(url, structured),
        "section": read_section(structured),
        "tags": read_tags(structured),
        "description": read_description(structured),
        "image": read_image(url, structured),
        "site_name": read_site_name(structured, site),
        "publisher": read_publisher(structured),
        "access": read_paywall(structured),
        "kind": read_kind(structured),
    }


def _assemble(
    choices: _Choices, times: Times, names: tuple[BylineName, ...], signed_provenance: Provenance | None
) -> Metadata:
    provenance: dict[str, Provenance | None] = {
        "published_at": times.published_provenance,
        "modified_at": times.modified_provenance,
        "signed": signed_provenance,
    } | {name: choice.provenance for name, choice in choices.items() if choice}
    values: dict[str, Any] = {name: choice.value for name, choice in choices.items() if choice}
    values |= names_by_kind(names)
    return Metadata(
        **values,
        published_at=times.published_at,
        published_precision=times.published_precision,
        modified_at=times.modified_at,
        modified_precision=times.modified_precision,
        provenance={name: value for name, value in provenance.items() if value},
    )
