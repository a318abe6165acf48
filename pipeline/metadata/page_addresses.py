"""The canonical address, the picture, and what site the page belongs to."""

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit, urlunsplit

from pipeline.metadata.evidence import Candidate, Choice, choose
from pipeline.structured import Structured

MAX_ADDRESS = 2_000  # characters; longer ones are data or traps
_TWO_LEVELS = frozenset({"co", "com", "org", "net", "ac", "gov", "edu", "or", "ne", "go", "web", "in", "gob", "gouv"})


def host_of(url: str) -> str:
    """The host without ``www.`` in lower case; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def path_of(url: str) -> str:
    """The path of the address; empty where it cannot be read."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def site_of(url: str) -> str:
    """The registered domain, by a rule of thumb: two labels, three below such as ``co.uk``.

    >>> site_of("https://amp.example.co.uk/a"), site_of("https://news.example.org/a")
    ('example.co.uk', 'example.org')
    """
    labels = host_of(url).split(".")
    many = len(labels) > 2 and labels[-2] in _TWO_LEVELS and len(labels[-1]) == 2
    return ".".join(labels[-3 if many else -2 :])


def absolute(address: str, base: str) -> str | None:
    """The address as an absolute http(s) URL without its fragment; None where it is none."""
    try:
        parts = urlsplit(urljoin(base, address.strip()))
        if parts.scheme not in {"http", "https"} or not parts.hostname or len(address) > MAX_ADDRESS:
            return None
        return urlunsplit(parts._replace(fragment=""))
    except ValueError:
        return None


def read_address(url: str, structured: Structured) -> Choice[str]:
    """The canonical URL: what the page names, if it is on the same site and no front page; else ``url``."""
    found = []
    for source, weight, address in _named(structured):
        named = absolute(address, url)
        if named and site_of(named) == site_of(url) and _is_page(named):
            found.append(Candidate(named, source, weight))
    return choose([*found, Candidate(url, "url", 0.4)], str)  # type: ignore[return-value]  # never empty


def _named(structured: Structured) -> Iterator[tuple[str, float, str]]:
    canonical = set(structured.links.get("canonical", ()))
    if len(canonical) == 1:  # several that differ are to be ignored (RFC 6596 allows one)
        yield "canonical", 0.9, canonical.pop()
    for address in structured.meta.get("og:url", ())[:1]:
        yield "og:url", 0.6, address


def _is_page(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.path.strip("/") or parts.query)


def read_image(url: str, structured: Structured) -> Choice[str] | None:
    """The address of the main picture."""
    found = []
    named = [("og:image", 0.9, structured.first_meta("og:image", "og:image:url", "og:image:secure_url"))]
    named += [("json-ld", 0.8, _image_of(node.get("image"))) for node in structured.articles[:2]]
    named += [("twitter:image", 0.6, structured.first_meta("twitter:image", "twitter:image:src"))]
    named += [("microdata", 0.5, next(iter(structured.microdata.get("image", ())), None))]
    named += [("link", 0.5, next(iter(structured.links.get("image_src", ())), None))]
    for source, weight, address in named:
        if address and (image := absolute(address, url)):
            found.append(Candidate(image, source, weight))
    return choose(found[:1], str)


def _image_of(value: object) -> str | None:
    if isinstance(value, list):
        return next((address for inner in value[:5] if (address := _image_of(inner))), None)
    if isinstance(value, dict):
        return _image_of(value.get("url") or value.get("contentUrl") or value.get("@id"))
    return value if isinstance(value, str) and value.strip() else None
