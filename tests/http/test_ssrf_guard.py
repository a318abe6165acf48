import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import FetchError
from pipeline.http.ssrf_guard import BAD_PORTS, SsrfGuard

PUBLIC = SsrfGuard()
LAB = SsrfGuard(allow_networks=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8")))


def reason(guard: SsrfGuard, url: str) -> str | None:
    """The word for the guard's refusal; None where the URL may be asked for."""
    refusal = None
    try:
        guard.check_url(url)
    except FetchError as error:
        refusal = error
    if refusal is None:
        return None
    assert refusal.url == url
    assert not refusal.temporary
    return refusal.reason


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("0.0.0.0", id="this host"),
        pytest.param("0.1.2.3", id="this network"),
        pytest.param("10.0.0.1", id="private A"),
        pytest.param("10.255.255.255", id="private A, last"),
        pytest.param("100.64.0.1", id="carrier-grade NAT"),
        pytest.param("100.127.255.254", id="carrier-grade NAT, last"),
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.255.255.254", id="loopback, far end"),
        pytest.param("169.254.169.254", id="cloud metadata"),
        pytest.param("169.254.170.2", id="container credentials"),
        pytest.param("172.16.0.1", id="private B"),
        pytest.param("172.31.255.255", id="private B, last"),
        pytest.param("192.0.0.1", id="protocol assignments"),
        pytest.param("192.0.0.170", id="NAT64 discovery"),
        pytest.param("192.0.2.1", id="documentation 1"),
        pytest.param("192.88.99.1", id="6to4 relay"),
        pytest.param("192.168.1.1", id="private C"),
        pytest.param("198.18.0.1", id="benchmarking"),
        pytest.param("198.19.255.255", id="benchmarking, last"),
        pytest.param("198.51.100.7", id="documentation 2"),
        pytest.param("203.0.113.7", id="documentation 3"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("239.255.255.250", id="multicast, SSDP"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::", id="IPv6 unspecified"),
        pytest.param("::1", id="IPv6 loopback"),
        pytest.param("::ffff:127.0.0.1", id="mapped loopback"),
        pytest.param("::ffff:7f00:1", id="mapped loopback, in hexadecimal"),
        pytest.param("::ffff:169.254.169.254", id="mapped metadata"),
        pytest.param("::ffff:10.0.0.1", id="mapped private"),
        pytest.param("::127.0.0.1", id="IPv4-compatible loopback"),
        pytest.param("::8.8.8.8", id="IPv4-compatible public: routed by nobody"),
        pytest.param("::ffff:0:127.0.0.1", id="IPv4-translated loopback"),
        pytest.param("64:ff9b::7f00:1", id="NAT64 of loopback"),
        pytest.param("64:ff9b::169.254.169.254", id="NAT64 of metadata"),
        pytest.param("64:ff9b:1::8.8.8.8", id="NAT64 for local use"),
        pytest.param("100::1", id="discard"),
        pytest.param("100:0:0:1::1", id="dummy prefix"),
        pytest.param("2001::1", id="Teredo of nothing"),
        pytest.param("2001:0:4136:e378:8000:63bf:80ff:fffe", id="Teredo client 127.0.0.1"),
        pytest.param("2001:0:7f00:1:8000:63bf:f7f7:f7f7", id="Teredo server 127.0.0.1"),
        pytest.param("2001:2::1", id="IPv6 benchmarking"),
        pytest.param("2001:10::1", id="ORCHID"),
        pytest.param("2001:20::1", id="ORCHID 2"),
        pytest.param("2001:db8::1", id="IPv6 documentation"),
        pytest.param("3fff::1", id="IPv6 documentation, new"),
        pytest.param("2002:7f00:1::1", id="6to4 of loopback"),
        pytest.param("2002:a00:1::", id="6to4 of private"),
        pytest.param("2002:a9fe:a9fe::1", id="6to4 of metadata"),
        pytest.param("4000::1", id="never handed out"),
        pytest.param("5f00::1", id="segment routing"),
        pytest.param("fc00::1", id="unique local"),
        pytest.param("fd00:ec2::254", id="cloud metadata over IPv6"),
        pytest.param("fe80::1", id="link-local"),
        pytest.param("fe80::1%eth0", id="link-local with a zone"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff02::1", id="IPv6 multicast"),
        pytest.param("2130706433", id="a bare number is no address"),
        pytest.param("127.1", id="a short form is no address"),
        pytest.param("0177.0.0.1", id="an octal form is no address"),
        pytest.param("0x7f.0.0.1", id="a hexadecimal form is no address"),
        pytest.param("localhost", id="a name is no address"),
        pytest.param("8.8.8.8/32", id="a network is no address"),
        pytest.param("", id="nothing is no address"),
    ],
)
def test_an_address_that_is_not_public_is_refused(address):
    assert not PUBLIC.permitted(address)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("8.8.8.8", id="public"),
        pytest.param("1.0.0.1", id="lowest"),
        pytest.param("9.255.255.255", id="below 10/8"),
        pytest.param("11.0.0.0", id="above 10/8"),
        pytest.param("100.63.255.255", id="below 100.64/10"),
        pytest.param("100.128.0.0", id="above 100.64/10"),
        pytest.param("172.15.255.255", id="below 172.16/12"),
        pytest.param("172.32.0.0", id="above 172.16/12"),
        pytest.param("192.0.1.1", id="between two special blocks"),
        pytest.param("223.255.255.255", id="highest"),
        pytest.param("2606:4700:4700::1111", id="IPv6"),
        pytest.param("2a00:1450:4001:80b::200e", id="IPv6 of Europe"),
        pytest.param("2001:4860:4860::8888", id="IPv6 beside the special part of 2001::/16"),
        pytest.param("2001:200::1", id="first after the protocol assignments"),
        pytest.param("::ffff:8.8.8.8", id="mapped public"),
        pytest.param("64:ff9b::808:808", id="NAT64 of public"),
        pytest.param("2002:808:808::1", id="6to4 of public"),
    ],
)
def test_a_public_address_is_permitted(address):
    assert PUBLIC.permitted(address)
    assert PUBLIC.permitted(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("address", "permitted"),
    [
        pytest.param("127.0.0.1", True, id="inside"),
        pytest.param("::ffff:127.0.0.1", True, id="inside, mapped"),
        pytest.param("fd12::1", True, id="inside, IPv6"),
        pytest.param("::1", False, id="IPv6 loopback is not 127/8"),
        pytest.param("10.0.0.1", False, id="another private network"),
        pytest.param("::ffff:10.0.0.1", False, id="another one, mapped"),
        pytest.param("169.254.169.254", False, id="metadata"),
        pytest.param("8.8.8.8", True, id="public as before"),
    ],
)
def test_allowed_networks_open_themselves_and_nothing_else(address, permitted):
    assert LAB.permitted(address) is permitted


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://news.example/a?b=c", None, id="http"),
        pytest.param("https://news.example:8443/", None, id="https on another port"),
        pytest.param("HTTPS://NEWS.EXAMPLE/", None, id="upper case"),
        pytest.param("http://8.8.8.8/", None, id="public address"),
        pytest.param("http://[2606:4700::1]/", None, id="public IPv6 address"),
        pytest.param("http://2130706433/", None, id="a decimal host is judged once it is resolved"),
        pytest.param("file:///etc/passwd", "blocked_scheme", id="file"),
        pytest.param("ftp://news.example/", "blocked_scheme", id="ftp"),
        pytest.param("gopher://news.example:6379/_SET", "blocked_scheme", id="gopher"),
        pytest.param("ws://news.example/", "blocked_scheme", id="websocket"),
        pytest.param("data:text/html,x", "blocked_scheme", id="data"),
        pytest.param("javascript:alert(1)", "blocked_scheme", id="javascript"),
        pytest.param("//news.example/a", "blocked_scheme", id="no scheme"),
        pytest.param("news.example/a", "blocked_scheme", id="a bare host"),
        pytest.param("", "blocked_scheme", id="nothing"),
        pytest.param("http:///a", "bad_url", id="no host"),
        pytest.param("http://", "bad_url", id="nothing after the scheme"),
        pytest.param("http://:80/", "bad_url", id="only a port"),
        pytest.param("http://[", "bad_url", id="half a bracket"),
        pytest.param("http://[::1", "bad_url", id="open bracket"),
        pytest.param("http://news%2eexample/", "bad_url", id="an escape in the host"),
        pytest.param("http://news example/", "bad_url", id="a space in the host"),
        pytest.param("http://news.example<b>/", "bad_url", id="markup in the host"),
        pytest.param("http://news_1.example-/", None, id="odd names that do exist"),
        pytest.param("http://news.example:abc/", "bad_url", id="a port of letters"),
        pytest.param("http://news.example:99999/", "bad_url", id="a port too high"),
        pytest.param("http://news.example:0/", "blocked_port", id="port 0"),
        pytest.param("http://news.example:22/", "blocked_port", id="ssh"),
        pytest.param("http://news.example:25/", "blocked_port", id="mail"),
        pytest.param("http://news.example:6379/", "blocked_port", id="redis"),
        pytest.param("https://news.example:5432/", "blocked_port", id="postgresql"),
        pytest.param("http://user@news.example/", "blocked_credentials", id="user"),
        pytest.param("http://user:pass@news.example/", "blocked_credentials", id="user and password"),
        pytest.param("http://@news.example/", "blocked_credentials", id="empty user"),
        pytest.param("http://news.example@127.0.0.1/", "blocked_credentials", id="a host that is a user"),
        pytest.param("http://127.0.0.1/", "blocked_address", id="loopback"),
        pytest.param("http://127.0.0.1:8080/", "blocked_address", id="loopback with a port"),
        pytest.param("http://[::1]/", "blocked_address", id="IPv6 loopback"),
        pytest.param("http://[::ffff:169.254.169.254]/", "blocked_address", id="mapped metadata"),
        pytest.param("http://[fe80::1%25eth0]/", "blocked_address", id="link-local with a zone"),
        pytest.param("http://169.254.169.254/latest/meta-data/", "blocked_address", id="metadata"),
    ],
)
def test_a_url_is_judged_as_written(url, expected):
    assert reason(PUBLIC, url) == expected


def test_allowed_networks_count_for_urls_too():
    assert reason(LAB, "http://127.0.0.1:8080/") is None
    assert reason(LAB, "http://10.0.0.1/") == "blocked_address"
    assert reason(LAB, "http://127.0.0.1:22/") == "blocked_port"


@pytest.mark.parametrize("port", [80, 443, 3000, 5000, 8000, 8080, 8443, 65535])
def test_ports_of_the_web_are_open(port):
    assert PUBLIC.permitted_port(port)


@pytest.mark.parametrize("port", [-1, 0, 65536, *sorted(BAD_PORTS)])
def test_ports_of_other_services_are_not(port):
    assert not PUBLIC.permitted_port(port)


def test_the_list_of_ports_can_be_replaced():
    assert SsrfGuard(bad_ports=frozenset()).permitted_port(6379)


RESOLVING = SsrfGuard(
    resolve=(
        ("news.test", "127.0.0.1"),
        ("*.news.test", "127.0.0.2"),
        ("*.deep.news.test", "127.0.0.3"),
        ("a.deep.news.test", "127.0.0.4"),
    )
)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("news.test", "127.0.0.1"),
        ("NEWS.Test", "127.0.0.1"),
        ("news.test.", "127.0.0.1"),
        ("www.news.test", "127.0.0.2"),
        ("a.b.news.test", "127.0.0.2"),
        ("deep.news.test", "127.0.0.2"),
        ("x.deep.news.test", "127.0.0.3"),
        ("a.deep.news.test", "127.0.0.4"),
        ("othernews.test", None),
        ("test", None),
        (".news.test", None),
        ("", None),
    ],
)
def test_the_most_specific_fixed_address_wins(host, address):
    assert RESOLVING.fixed_address(host) == address


def test_a_fixed_address_is_no_permission():
    assert not RESOLVING.permitted(RESOLVING.fixed_address("news.test"))


@given(st.text(max_size=80) | st.text(max_size=60).map("http://{}".format))
@example("http://[")
@example("http://[::ffff:1.2.3.4%]/")
@example("http://\u2100.example/")
@example("http://a:\u0663/")
@example("http://127.0.0.1\\@news.example/")
def test_any_text_is_accepted_or_refused_and_nothing_else(url):
    reason(PUBLIC, url)


@given(st.ip_addresses())
@example(ipaddress.ip_address("::ffff:8.8.8.8"))
def test_what_python_calls_private_is_never_permitted(address):
    # Python knows a little less than the registries do, but all that it knows must be among ours. It does not
    # look into every form that carries an IPv4 address; those are the next test's.
    carries_ipv4 = address.version == 6 and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address in ipaddress.ip_network("64:ff9b::/96")
    )
    if PUBLIC.permitted(address) and not carries_ipv4:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_clothing(address):
    inner = int(address)
    for outer in (0xFFFF << 32 | inner, 0x64FF9B << 96 | inner, 0x2002 << 112 | inner << 80 | 1):
        assert PUBLIC.permitted(ipaddress.IPv6Address(outer)) == PUBLIC.permitted(address)
