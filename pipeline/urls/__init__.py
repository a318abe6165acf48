"""Canonical URLs: one spelling for each page, so that it is fetched once and stored once.

Follows RFC 3986 (6.2.2, syntax-based normalisation) and, where browsers read more than it allows, the WHATWG URL
standard (https://url.spec.whatwg.org): what feeds and pages link to was written for browsers. Two pages must never
become one, so ``http`` and ``https``, ``/a`` and ``/a/``, ``m.`` and ``www.`` stay apart.
"""

import re
from urllib.parse import urljoin, urlsplit

from pipeline.urls.authority import DEFAULT_PORTS, read_authority, registered_domain, without_www

TRACKING_PREFIXES = (
    "utm_",  # Google Analytics, https://support.google.com/analytics/answer/10917952
    "mtm_",  # Matomo, https://matomo.org/faq/reports/what-is-campaign-tracking-and-why-it-is-important/
    "matomo_",
    "piwik_",
    "hsa_",  # HubSpot ads
    "at_custom",  # AT Internet (Piano), with its others below
    "fb_action_",  # Meta
    "_branch_",  # Branch
)
"""Beginnings of the names of query parameters that only say where a visitor came from; in lower case."""

_TRACKING = {
    # Clicks on advertisements and posts. Named in the vendors' manuals, and collected in the query stripping of
    # Firefox and Brave and in AdGuard's URL tracking filter.
    "Google": "gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid srsltid _ga _gl",
    "Meta": "fbclid fb_ref fb_source mibextid igshid igsh",
    "Microsoft, Yandex": "msclkid yclid ymclid ysclid _openstat",
    "X, TikTok, LinkedIn, Reddit, Snapchat, Pinterest": "twclid ttclid li_fat_id rdt_cid sccid epik",
    "posts embedded in pages": "ref_src ref_url __twitter_impression",
    "Outbrain, Taboola, Yahoo's consent page": "dicbo tblci oborigurl guccounter guce_referrer guce_referrer_sig",
    # Newsletters.
    "Mailchimp, Marketo, Klaviyo": "mc_cid mc_eid mkt_tok _kx",
    "HubSpot": "_hsenc _hsmi __hssc __hstc __hsfp hsctatracking",
    "Vero, Olytics, Wicked, MailerLite": "vero_id vero_conv oly_anon_id oly_enc_id wickedid ml_subscriber"
    " ml_subscriber_hash",
    # Analytics, as they stand in the feeds of publishers.
    "Matomo under its old name": "pk_campaign pk_kwd pk_source pk_medium pk_content pk_keyword pk_cid",
    "AT Internet (Piano): BBC, Le Monde": "at_medium at_campaign at_link_id at_link_type at_link_origin at_format"
    " at_ptr_name at_bbc_team xtor",
    "Mapp (Webtrekk): heise.de, zeit.de": "wt_mc wt_zmc wt.mc_id wt.tsrc",
    "Comscore: dailymail.co.uk": "ns_source ns_mchannel ns_campaign ns_linkname ns_fee ito",
    "Adobe": "s_cid s_kwcid ef_id icid",
    "MSN, Bloomberg, AOL, Condé Nast, Reuters": "ocid cmpid ncid mbid feedtype feedname",
    "sessions": "phpsessid jsessionid",
}
TRACKING_PARAMETERS = frozenset(" ".join(_TRACKING.values()).split())
"""Names of query parameters that do not identify a page, in lower case.

Left out on purpose, though often used for tracking, since they name the article on other sites: ``id``, ``p``, ``cid``,
``sid``, ``ref``, ``source``, ``src``, ``mod``, ``partner``, ``cmp``, ``campaign``, ``s``, ``si``, ``sh``.
"""


def drop_tracking(query: str) -> str:
    """The query without parameters that only track and without empty ones, in the order they stood in.

    >>> drop_tracking("b=2&utm_source=rss&a=1")
    'b=2&a=1'
    """
    kept = []
    for parameter in query.split("&"):
        # "&amp;" of markup that was escaped once too often; no parameter is called "amp;…".
        while parameter.startswith("amp;"):
            parameter = parameter.removeprefix("amp;")  # noqa: PLW2901  # a cleaner form of the same
        if parameter and not _is_tracking(parameter):
            kept.append(parameter)
    return "&".join(kept)


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)


__all__ = ["MAX_URL_LENGTH", "canonical_url", "host_of", "is_on_site", "is_same_site", "site_of", "without_www"]

MAX_URL_LENGTH = 2048
"""Longest URL that is followed or stored, in characters.

The sitemap protocol ends there, and a PostgreSQL index row at 2,704 bytes.
"""

_MAX_INPUT = 8 * MAX_URL_LENGTH  # tracking can be long; what is longer still is not worth the time

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# RFC 3986, 3.3 and 3.4. Everything else is written as percent-encoded UTF-8.
_PATH = _UNRESERVED | set("!$&'()*+,;=:@/")
_QUERY = _PATH | {"?"}
_TOKEN = re.compile(r"%[0-9A-Fa-f]{2}|.", re.DOTALL)
_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
# What the WHATWG parser takes off the ends and out of the middle, and the spaces that word processors add.
_ENDS = "".join(map(chr, range(33))) + "\x7f\xa0\u200b\u2028\u2029\ufeff"
_SURROGATES = re.compile("[\ud800-\udfff]")


def _plain_run(characters: str) -> str:
    """Any number of these characters, and of escapes that are as they have to be."""
    escape = "%(?:2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[89A-F][0-9A-F])"
    return f"[{characters}]*(?:{escape}[{characters}]*)*"


# Nearly all links look so, and are canonical but for parameters that track and a fragment: a name of letters and
# digits, no dot segments, no escapes of what needs none. To see that takes a tenth of the time of taking them apart.
_PLAIN_PATH = "A-Za-z0-9._~!$&'()*+,=:@/-"
_PLAIN = re.compile(
    r"(https?://(?:[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\.){1,5}[a-z]{2,24}/"
    rf"{_plain_run(_PLAIN_PATH)})(?:\?({_plain_run('?' + _PLAIN_PATH)}))?(?:#.*)?",
    re.DOTALL,
)


def canonical_url(url: str, base: str | None = None) -> str:
    """The one spelling of the address of a page.

    Scheme and host in lower case, the host in ASCII (UTS 46), no default port, no user info, no dot segments, no
    fragment, percent-encoding normalised, parameters that only track dropped; the order of the others is kept.
    Applied twice it changes nothing more.
    An empty URL is an error even where there is a base: a feed that links to nothing does not mean itself.

    >>> canonical_url("HTTP://Www.Exämple.COM:80/a/../%7euser?utm_source=rss&id=7#top")
    'http://www.xn--exmple-cua.com/~user?id=7'
    >>> canonical_url("../b?q=ä b", "https://example.com/a/feed.xml")
    'https://example.com/b?q=%C3%A4%20b'

    Raises ValueError: it is no absolute http(s) URL after joining it with the base, or longer than
    `MAX_URL_LENGTH`.
    """
    if len(url) <= MAX_URL_LENGTH and (plain := _PLAIN.fullmatch(url)) and "/." not in url:
        query = drop_tracking(plain[2] or "")
        return f"{plain[1]}?{query}" if query else plain[1]
    scheme, authority, path, query = _split(url, base)
    host, port = read_authority(authority, scheme)
    # Empty parameters at the end name nothing, and joining with a base takes them off.
    path = _without_dot_segments(_SESSION.sub("", _normalised(path, _PATH)).rstrip(";"))
    query = drop_tracking(_normalised(query, _QUERY))
    canonical = f"{scheme}://{host}{port}{path}{'?' + query if query else ''}"
    if len(canonical) > MAX_URL_LENGTH:
        raise ValueError(f"longer than {MAX_URL_LENGTH} characters: {canonical[:80]}…")
    return canonical


def host_of(url: str) -> str:
    """Host in lower case, with the port where it is not the default: the unit of politeness.

    >>> host_of("https://Example.com:8443/a")
    'example.com:8443'

    Raises ValueError: it is no absolute http(s) URL.
    """
    scheme, authority, _, _ = _split(url, None)
    return "".join(read_authority(authority, scheme))


def site_of(url: str) -> str:
    """Host name without port and leading ``www.``, to group by; not the registered domain (`is_same_site`).

    >>> site_of("https://www.Example.com:8443/a"), site_of("https://blog.example.com/")
    ('example.com', 'blog.example.com')

    Raises ValueError: it is no absolute http(s) URL.
    """
    scheme, authority, _, _ = _split(url, None)
    return without_www(read_authority(authority, scheme)[0])


def is_on_site(url: str, site: str) -> bool:
    """Whether the URL's host is this site or one below it; False for what is no http(s) URL.

    >>> is_on_site("https://m.example.com/1", "example.com"), is_on_site("https://example.com/1", "m.example.com")
    (True, False)

    The URL is of a page, a feed or a host; the site a host name, with or without ``www.``.
    """
    try:
        name = site_of(url)
    except ValueError:
        return False
    site = without_www(site.lower())
    return name == site or name.endswith(f".{site}")


def is_same_site(a: str, b: str) -> bool:
    """Whether both URLs are under one registered domain; False for what is no http(s) URL.

    >>> is_same_site("https://m.example.com/1", "https://www.example.com/1")
    True
    >>> is_same_site("https://ann.github.io/", "https://bo.github.io/")
    False
    """
    try:
        first, second = site_of(a), site_of(b)
    except ValueError:
        return False
    return first == second or registered_domain(first) == registered_domain(second)


def _split(url: str, base: str | None) -> tuple[str, str, str, str]:
    cleaned = _cleaned(url)
    if not cleaned:
        raise ValueError("empty URL")
    if len(cleaned) > _MAX_INPUT:
        raise ValueError(f"longer than {_MAX_INPUT} characters: {cleaned[:80]}…")
    if base is not None:
        cleaned = urljoin(_cleaned(base), cleaned)
    parts = urlsplit(cleaned)
    if parts.scheme not in DEFAULT_PORTS or not parts.netloc:
        raise ValueError(f"not an absolute http(s) URL: {url[:80]!r}")
    return parts.scheme, parts.netloc, parts.path, parts.query


def _cleaned(url: str) -> str:
    """Without white space around and line breaks within, with the slashes that browsers read backslashes as."""
    url = url.strip(_ENDS).translate({9: None, 10: None, 13: None})
    end = re.search(r"[?#]|$", url).start()  # type: ignore[union-attr]  # `$` always matches
    return _SURROGATES.sub("\ufffd", url[:end].replace("\\", "/") + url[end:])


def _normalised(text: str, allowed: frozenset[str]) -> str:
    if allowed.issuperset(text):  # as nearly always
        return text
    return _TOKEN.sub(lambda token: _encoded(token.group(), allowed), text)


def _encoded(token: str, allowed: frozenset[str]) -> str:
    if len(token) == 3:
        character = chr(int(token[1:], 16))
        return character if character in _UNRESERVED else token.upper()
    return token if token in allowed else "".join(f"%{byte:02X}" for byte in token.encode())


def _without_dot_segments(path: str) -> str:
    """RFC 3986, 5.2.4, for an absolute path.

    >>> _without_dot_segments("/a/./b/../c/..")
    '/a/'
    """
    kept: list[str] = []
    segments = path.split("/")[1:] or [""]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
