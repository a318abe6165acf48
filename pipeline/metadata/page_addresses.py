"""The canonical address, the picture, and what site the page belongs to."""

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit, urlunsplit

from pipeline.html.structured_data import Structured
from pipeline.metadata.evidence import FieldCandidate, FieldChoice, choose_best
from pipeline.urls import MAX_URL_LENGTH, is_same_site, site_of


def site_or_none(url: str) -> str | None:
    """The page's site (`pipeline.urls.site_of`); None where the address is none of a page."""
    try:
        return site_of(url)
    except ValueError:
        return None


def path_of(url: str) -> str:
    """The path of the address; empty where it cannot be read."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def absolute_address(address: str, base: str) -> str | None:
    """The address as an absolute http(s) URL without its fragment and who signs in; None where it is none."""
    try:
        parts = urlsplit(urljoin(base, address.strip()))
        if parts.scheme not in {"http", "https"} or not parts.hostname or len(address) > MAX_URL_LENGTH:
            return None
        _ = parts.port  # raises where it is none
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    except ValueError:
        return None


def read_address(url: str, structured: Structured) -> FieldChoice[str]:
    """The canonical URL: what the page names, if it is on the same site and no front page; else ``url``."""
    candidates = []
    for source, weight, address in _named(structured):
        named = absolute_address(address, url)
        if named and is_same_site(named, url) and _is_page(named):
            candidates.append(FieldCandidate(named, source, weight))
    return choose_best([*candidates, FieldCandidate(url, "url", 0.4)], str)  # type: ignore[return-value]  # never empty


def _named(structured: Structured) -> Iterator[tuple[str, float, str]]:
    canonical = set(structured.links.get("canonical", ()))
    if len(canonical) == 1:  # several that differ are to be ignored (RFC 6596 allows one)
        yield "canonical", 0.9, canonical.pop()
    for address in structured.meta.get("og:url", ())[:1]:
        yield "og:url", 0.6, address


def _is_page(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.path.strip("/") or parts.query)


def read_image(url: str, structured: Structured) -> FieldChoice[str] | None:
    """The address of the main picture."""
    candidates = []
    named = [("og:image", 0.9, structured.first_meta("og:image", "og:image:url", "og:image:secure_url"))]
    named += [("json-ld", 0.8, _image_of(node.get("image"))) for node in structured.articles[:2]]
    named += [("twitter:image", 0.6, structured.first_meta("twitter:image", "twitter:image:src"))]
    named += [("microdata", 0.5, next(iter(structured.microdata.get("image", ())), None))]
    named += [("link", 0.5, next(iter(structured.links.get("image_src", ())), None))]
    for source, weight, address in named:
        if address and (image := absolute_address(address, url)):
            candidates.append(FieldCandidate(image, source, weight))
    return choose_best(candidates[:1], str)


def _image_of(value: object) -> str | None:
    if isinstance(value, list):
        return next((address for inner in value[:5] if (address := _image_of(inner))), None)
    if isinstance(value, dict):
        return _image_of(value.get("url") or value.get("contentUrl") or value.get("@id"))
    return value if isinstance(value, str) and value.strip() else None
