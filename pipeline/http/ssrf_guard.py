"""Which URLs and addresses may be fetched: the guard against requests forged through a feed (SSRF).

A feed is written by strangers, and so is every redirect: without a guard, an entry that links to
``http://169.254.169.254/`` makes the pipeline read its own cloud's secrets. Two checks, both needed:

- `SsrfGuard.check_url` looks at the URL as written, before anything is sent;
- `SsrfGuard.permitted` looks at the address that is about to be connected to. It is the one that counts: a name may
  resolve to anything, and to something else a second later, and ``http://2130706433/`` is 127.0.0.1 as well.

No I/O here. `pipeline.fetch` asks `SsrfGuard.permitted` about every address, and connects to that address and no other.
"""

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from pipeline.errors import FetchError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

BAD_PORTS = frozenset(
    {
        # The "bad ports" of the Fetch standard (fetch.spec.whatwg.org, 2.9): services that can be made to misread
        # an HTTP request as their own protocol, mail and chat above all.
        *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104),
        *(109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515),
        *(526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049),
        *(3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
        # Databases, caches and control planes: no news is there, and several obey lines of plain text.
        *(445, 873, 1433, 1521, 2181, 2375, 2376, 2379, 3306, 3389, 5432, 5672, 5900, 6379, 9042, 9092, 11211, 27017),
    }
)


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# URL standard (url.spec.whatwg.org, 3.1), "forbidden host code points": such a name is never worth a look-up.
_FORBIDDEN_IN_HOST = frozenset(map(chr, range(0x21))) | frozenset("#%/:<>?@[\\]^|\x7f")

# Written out rather than left to `ipaddress.is_global`, whose answer for several of these changed between the
# releases of Python that we support (3.11.7 calls 192.88.99.1 and 3fff::1 global; later ones do not agree).
_NOT_PUBLIC = _networks(
    # IANA IPv4 Special-Purpose Address Registry (RFC 6890), every block that is not globally reachable.
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("224.0.0.0/4", "240.0.0.0/4"),
    # IANA IPv6 Special-Purpose Address Registry, what of it lies inside 2000::/3: protocol assignments
    # (benchmarking, ORCHID and the rest of 2001::/23), and documentation, old and new.
    *("2001::/23", "2001:db8::/32", "3fff::/20"),
)
_IPV6_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that IANA has ever handed out (RFC 4291, 2.4)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052; 64:ff9b:1::/48 (RFC 8215) is for local use: not public


@dataclass(frozen=True, slots=True)
class SsrfGuard:
    """What may be fetched. Made once from the settings.

    Attributes:
        allow_networks: networks that are permitted although they are not public.
        resolve: pairs of a name and its fixed address; a name may begin with ``*.`` and then stands for every
            name below it. A fixed address must be permitted like any other.
    """

    allow_networks: tuple[Network, ...] = ()
    resolve: tuple[tuple[str, str], ...] = ()
    bad_ports: frozenset[int] = BAD_PORTS

    def check_url(self, url: str) -> None:
        """Return if the URL as written may be asked for.

        Raises FetchError: ``bad_url``, ``blocked_scheme``, ``blocked_credentials``, ``blocked_port`` or
        ``blocked_address``; never temporary.
        """
        parts, host, port = _split(url)
        if parts.scheme not in ("http", "https"):
            raise FetchError(url, "blocked_scheme", f"{parts.scheme or 'no scheme'!r} is neither http nor https")
        if not host or ("[" not in parts.netloc and not _FORBIDDEN_IN_HOST.isdisjoint(host)):
            raise FetchError(url, "bad_url", f"{host!r} is no host")
        if "@" in parts.netloc:
            # The pipeline reads what is public; and `http://example.com@evil.example/` exists to deceive.
            raise FetchError(url, "blocked_credentials", "user name or password in the URL")
        if port is not None and not self.permitted_port(port):
            raise FetchError(url, "blocked_port", f"port {port} is not one of the web")
        if _parsed(host) is not None and not self.permitted(host):
            raise FetchError(url, "blocked_address", f"{host} is no public address")

    def permitted_port(self, port: int) -> bool:
        """Tell whether the port may be connected to."""
        return 0 < port < 2**16 and port not in self.bad_ports

    def permitted(self, address: str | Address) -> bool:
        """Tell whether the IP address may be connected to: public unicast, or inside ``allow_networks``.

        An IPv4 address in IPv6 clothing (mapped, NAT64, 6to4, Teredo) is judged by what it carries. What is no
        IP address is not permitted.
        """
        ip = _parsed(address)
        if ip is None:
            return False
        if any(ip in network for network in self.allow_networks if network.version == ip.version):
            return True
        embedded = _embedded(ip)
        if embedded:
            return all(self.permitted(inner) for inner in embedded)
        if ip.version == 6 and ip not in _IPV6_GLOBAL_UNICAST:
            return False
        return not any(ip in network for network in _NOT_PUBLIC if network.version == ip.version)

    def opened(self) -> "SsrfGuard":
        """A guard that permits everything, for what the user named: the same names have the same fixed addresses."""
        return replace(self, allow_networks=_networks("0.0.0.0/0", "::/0"), bad_ports=frozenset())

    def fixed_address(self, host: str) -> str | None:
        """The address that the settings give for the name; the most specific entry wins."""
        name = host.lower().rstrip(".")
        matching = [(pattern, address) for pattern, address in self.resolve if _covers(pattern, name)]
        if not matching:
            return None
        return max(matching, key=lambda pair: (not pair[0].startswith("*."), len(pair[0])))[1]


def _split(url: str) -> tuple[SplitResult, str, int | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise FetchError(url, "bad_url", str(error)) from error
    return parts, host, port


def _parsed(address: str | Address) -> Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def _embedded(ip: Address) -> tuple[Address, ...]:
    """The IPv4 addresses that traffic to this IPv6 address ends up at."""
    if ip.version == 4:
        return ()
    if ip.ipv4_mapped:
        return (ip.ipv4_mapped,)
    if ip.sixtofour:
        return (ip.sixtofour,)
    if ip.teredo:
        return ip.teredo
    if ip in _NAT64:
        return (ipaddress.IPv4Address(ip.packed[-4:]),)
    return ()


def _covers(pattern: str, name: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and len(name) > len(pattern) - 1
    return name == pattern.rstrip(".")
