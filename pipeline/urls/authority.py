"""The authority of a URL (RFC 3986, 3.2) in the one spelling that is stored, and the part of a host that is owned."""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import SplitResult

import idna

DEFAULT_PORTS = {"http": 80, "https": 443}
"""The schemes that are fetched, and the port that each means where none is written."""

_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\Z")
_IPV4_PART = re.compile(r"0x[0-9a-f]*\Z|[0-9]+\Z")


@lru_cache(maxsize=4096)  # the links of a feed or a page lead to a few hosts, many times
def read_authority(authority: str, scheme: str) -> tuple[str, str]:
    """The host in lower case and ASCII, and the port with its colon, empty where it is the scheme's own.

    >>> read_authority("me@Example.com:443", "https")
    ('example.com', '')

    Raises ValueError: it names no host or no port that could be connected to.
    """
    address = authority.rpartition("@")[2]
    if address.startswith("["):
        host, _, port = address.partition("]")
        if port and not port.startswith(":"):
            raise ValueError(f"not a host: {address[:80]!r}")
        return f"[{_ipv6(host[1:])}]", _port(port[1:], scheme)
    host, _, port = address.partition(":")
    return _host(host), _port(port, scheme)


def _port(digits: str, scheme: str) -> str:
    if not digits:
        return ""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and 0 < int(digits) < 2**16):
        raise ValueError(f"not a port: {digits[:20]!r}")
    return "" if int(digits) == DEFAULT_PORTS[scheme] else f":{int(digits)}"


def _ipv6(text: str) -> str:
    address = ipaddress.IPv6Address(text)  # its AddressValueError is a ValueError
    if address.scope_id is not None:
        raise ValueError(f"an address with a zone means something on one machine only: {text!r}")
    return address.compressed


def _host(name: str) -> str:
    """The name in ASCII, or the address in its usual form (`http://0x7f.1/` is 127.0.0.1 to every resolver)."""
    name = _percent_decoded(name)
    # Without the stricter checks of IDNA 2008: names with emoji or underscores exist and are fetched.
    name = idna.uts46_remap(name, std3_rules=False, transitional=False) if not name.isascii() else name.lower()
    # The root's dot changes nothing about where the name leads.
    labels = name.removesuffix(".").split(".")
    name = ".".join(part if part.isascii() else f"xn--{part.encode('punycode').decode('ascii')}" for part in labels)
    if not _HOST.match(name) or len(name) > 253:
        raise ValueError(f"not a host name: {name[:80]!r}")
    return _ipv4(name) if _IPV4_PART.match(name.rpartition(".")[2]) else name


def _percent_decoded(name: str) -> str:
    if "%" not in name:
        return name
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes.fromhex(m.group(1).decode()), name.encode())
    return raw.decode()  # its UnicodeDecodeError is a ValueError


def _ipv4(name: str) -> str:
    """The dotted form of all that `inet_aton` takes (https://url.spec.whatwg.org/#concept-ipv4-parser)."""
    parts = name.split(".")
    if len(parts) > 4 or not all(_IPV4_PART.match(part) and len(part) <= 40 for part in parts):
        raise ValueError(f"not an IPv4 address: {name[:80]!r}")
    *leading, last = (_ipv4_number(part) for part in parts)
    if any(number > 255 for number in leading) or last >= 256 ** (4 - len(leading)):
        raise ValueError(f"not an IPv4 address: {name[:80]!r}")
    return str(ipaddress.IPv4Address(last + sum(number << 8 * (3 - i) for i, number in enumerate(leading))))


def _ipv4_number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part.startswith("0") else int(part)


def without_www(host: str) -> str:
    """The host name in lower case without a leading ``www.``, unless hardly anything would be left.

    >>> without_www("www.example.com"), without_www("www.com")
    ('example.com', 'www.com')
    """
    short = host.removeprefix("www.")
    return short if "." in short else host


@lru_cache(maxsize=8192)
def registered_domain(host: str) -> str:
    """The public suffix and the one label before it; the host itself where it is an address or a single label.

    Suffixes that companies let others register below, such as ``github.io``, count as public. Under a suffix that the
    list does not have, it is the last two labels, as the list's own default rule says.

    >>> registered_domain("amp.example.co.uk"), registered_domain("a.ann.github.io"), registered_domain("[::1]")
    ('example.co.uk', 'ann.github.io', '[::1]')

    Args:
        host: a host name in lower case, without a port.
    """
    from tld import get_fld  # reading the list takes a tenth of a second, which most commands do not need

    if host.startswith("[") or host.rpartition(".")[2].isdigit():
        return host
    domain = get_fld(SplitResult("http", host, "", "", ""), fail_silently=True, search_private=True)
    return str(domain) if domain else ".".join(host.split(".")[-2:])
