"""The registered domain of a host name, by the public suffix list that comes with a library."""

import pytest

from pipeline.urls.authority import registered_domain, without_www

DOMAINS = {
    "plain": ("news.example.org", "example.org"),
    "two levels of a country": ("amp.example.com.tr", "example.com.tr"),
    "three levels of a country": ("a.b.c.kawasaki.jp", "b.c.kawasaki.jp"),
    "an exception of the list": ("a.city.kawasaki.jp", "city.kawasaki.jp"),
    "a company's suffix": ("www.ann.github.io", "ann.github.io"),
    "a suffix that nobody lists": ("a.b.harbour.example", "harbour.example"),
    "not in ASCII": ("blog.xn--mller-kva.de", "xn--mller-kva.de"),
    "one label": ("localhost", "localhost"),
    "address": ("10.1.2.3", "10.1.2.3"),
    "IPv6": ("[2001:db8::1]", "[2001:db8::1]"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("host", "domain"), DOMAINS.values(), ids=DOMAINS.keys())
def test_the_registered_domain_of_a_host(host, domain):
    assert registered_domain(host) == domain
    assert registered_domain(domain) == domain


@pytest.mark.parametrize(
    ("host", "short"), [("www.example.com", "example.com"), ("www.com", "www.com"), ("wwwa.b", "wwwa.b")]
)
def test_www_goes_where_a_name_is_left(host, short):
    assert without_www(host) == short
