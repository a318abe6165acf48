"""An article comes with what its text links to and with its pictures, and not with those of what stands around it."""

import pytest

from pipeline.extract import PageInput, extract_article
from tests.support.stories import paragraphs

URL = "https://lantern.example/2026/11/12/lamp"
LEAD, BODY = paragraphs(1)[:3], paragraphs(2)[:3]


def printed(texts):
    return "".join(f"<p>{text}</p>" for text in texts)


def read(inside, *, above="", head="", behind=""):
    article = f"<article><h1>The lamp is lit</h1>{above}{printed(LEAD)}{inside}{printed(BODY)}</article>"
    around = f"<nav><a href=/news>News of the coast</a></nav><main>{article}{behind}</main>"
    page = f"<html lang=en><head><title>The lamp is lit</title>{head}</head><body>{around}</body></html>"
    return extract_article(PageInput(page.encode(), URL))


def linked(inside, **page):
    return [tuple(link) for link in read(inside, **page).links]


def pictured(inside, **page):
    return [tuple(picture) for picture in read(inside, **page).pictures]


def test_links_of_the_text_are_canonical_and_each_address_is_told_once():
    inside = (
        "<p>The <a href='/Lamps?utm_source=x#top'>keepers\n of the <b>lamp</b></a> said on Monday that <a"
        " href='//www.Harbour.example'>the harbour board</a> paid for <a href='/Lamps'>it</a> with its money.</p>"
    )
    assert linked(inside) == [
        ("https://lantern.example/Lamps", "keepers of the lamp"),
        ("https://www.harbour.example/", "the harbour board"),
    ]


def test_what_leads_nowhere_else_is_no_link():
    inside = (
        f"<p>As <a href='#notes'>the notes</a>, <a href='{URL}'>this page</a>, <a name=x>a mark</a>, <a>nothing</a>, <a"
        " href='mailto:a@b.example'>a letter</a> and <a href='http://[/'>an address</a> say, the lamp was out.</p>"
    )
    assert linked(inside) == []


def test_links_stand_in_items_rows_and_around_lines():
    inside = (
        "<ul><li>The lamp of the north quay, with <a href=/north>its keeper</a>, since that spring.</li></ul>"
        f"<table><tr><td>{BODY[0]}</td><td><a href=/row>South quay</a></td></tr>"
        f"<tr><td>{BODY[1]}</td><td>No</td></tr></table>"
        "<a href=/line><p>All of this line leads to what the board has written about the lamp and its keepers.</p></a>"
    )
    assert [url.rpartition("/")[2] for url, _ in linked(inside)] == ["north", "row", "line"]


def test_boxes_and_buttons_have_no_part_in_it():
    inside = (
        "<div class=related><h3>Read more</h3><a href=/other><img src=/other.jpg>Another lamp went out today</a></div>"
        "<div class=share><a href=https://share.example/?u=1><img src=/s.png alt=Share></a></div>"
    )
    found = read(inside, behind="<aside><a href=/aside>A story of something else entirely</a><img src=/b.jpg></aside>")
    assert (found.links, found.pictures) == ((), ())


def test_addresses_are_joined_with_the_base_of_the_page():
    inside = "<p>The keepers of the lamp said that <a href=board>the harbour board</a> had paid for it on its own.</p>"
    found = read(f"{inside}<figure><img src=a.jpg></figure>", head="<base href='https://cdn.example/x/'>")
    assert [link.url for link in found.links] == ["https://cdn.example/x/board"]
    assert [picture.url for picture in found.pictures] == ["https://cdn.example/x/a.jpg"]


def test_pictures_stand_above_the_text_and_within_it():
    above = "<figure><img src=/lead.jpg alt='The lamp\n by night'><figcaption>The lamp. Photo: A.</figcaption></figure>"
    inside = (
        "<img src='data:image/gif;base64,R0' data-src='/late.jpg'>"
        "<picture><source srcset='/a,w_3.webp 300w, /a,w_9.webp 900w'><img alt=Quay></picture>"
        "<img src=/dot.gif width=1><img src=/late.jpg alt=Late><iframe src=https://video.example/1></iframe>"
    )
    assert [(url.rpartition("/")[2], words) for url, words in pictured(inside, above=above)] == [
        ("lead.jpg", "The lamp by night"),
        ("late.jpg", "Late"),
        ("a,w_9.webp", "Quay"),
    ]


def test_what_stands_around_all_of_the_text_makes_its_pictures_no_others():
    page = (
        f"<html><body class='has-sidebar article-card related'><h1>The lamp is lit</h1>{printed(LEAD)}<img src=/a.jpg>"
    )
    found = extract_article(PageInput(f"{page}{printed(BODY)}</body></html>".encode(), URL))
    assert [picture.url for picture in found.pictures] == ["https://lantern.example/a.jpg"]


def test_a_text_from_elsewhere_has_the_links_of_blocks_that_say_the_same():
    lead = [LEAD[0].replace(" ", " <a href=/first>", 1).replace(".", "</a>.", 1), *LEAD[1:]]
    page = f"<html><body><div>{printed(lead)}{printed(BODY)}</div></body></html>"
    found = extract_article(PageInput(page.encode(), URL, extractor="trafilatura"))
    assert found.extractor == "trafilatura"
    assert [link.url for link in found.links] == ["https://lantern.example/first"]


@pytest.mark.parametrize(
    ("base", "root"),
    [("https://cdn.example", "https://cdn.example"), ("https://cdn.example?a=b", "https://cdn.example")],
)
def test_a_base_without_a_path_is_the_root(base, root):
    inside = "<p>The keepers of the lamp said that <a href=/board>the harbour board</a> had paid for it on its own.</p>"
    found = read(f"{inside}<figure><img src=/a.jpg></figure>", head=f"<base href='{base}'>")
    assert [link.url for link in found.links] == [f"{root}/board"]
    assert [picture.url for picture in found.pictures] == [f"{root}/a.jpg"]


def test_words_of_links_and_pictures_hold_nothing_that_no_database_stores():
    inside = (
        "<p>They said that <a href='/b&#0;o&#xD800;ard'>the har\x00bour &#0;board &#xDFFF;of all</a> had paid.</p>"
        "<figure><img src='/a&#0;&#xD800;.jpg' alt='The \x00lamp &#0;by &#xD800;night'></figure>"
    )
    found = read(inside)
    assert found.links
    for each in (*found.links, *found.pictures):
        assert "\x00" not in "".join(each)
        assert "".join(each).encode()


def test_blanks_within_a_link_do_not_lose_it():
    inside = (
        "<p>The <a href=/a>keepers<span> of</span> the <i>la</i>mp<br>and its light</a> said that <a href=/b>the<br>"
        "harbour</a> board had paid for all of it with its own money.</p>"
    )
    assert [url.rpartition("/")[2] for url, _ in linked(inside)] == ["a", "b"]


def test_neither_of_its_own_addresses_is_a_link_of_an_article():
    inside = (
        f"<p>As <a href='{URL}'>this page</a> and <a href='/lamp'>this one</a> say, the lamp was out on that day.</p>"
    )
    assert linked(inside, head="<link rel=canonical href='https://lantern.example/lamp'>") == []


@pytest.mark.parametrize(
    ("source", "picture"),
    [
        ("https://user:word@cdn.example/a.jpg", "https://cdn.example/a.jpg"),
        ("//user@cdn.example/a.jpg", "https://cdn.example/a.jpg"),
        ("https://cdn.example:8443/a.jpg", "https://cdn.example:8443/a.jpg"),
        ("https://cdn.example:99999999/a.jpg", None),
        ("https://cdn.example:x/a.jpg", None),
        ("///a.jpg", None),
        ("//?a.jpg", None),
    ],
)
def test_pictures_have_a_host_and_nobody_who_signs_in(source, picture):
    found = pictured(f"<figure><img src='{source}'></figure>")
    assert [url for url, _ in found] == ([picture] if picture else [])


def test_a_base_gives_links_and_pictures_no_user():
    inside = "<p>The keepers of the lamp said that <a href=/board>the harbour board</a> had paid for it on its own.</p>"
    found = read(f"{inside}<figure><img src=/a.jpg></figure>", head="<base href='https://user:word@cdn.example/x/'>")
    assert [each.url for each in (*found.links, *found.pictures)] == [
        "https://cdn.example/board",
        "https://cdn.example/a.jpg",
    ]


def test_a_width_of_thousands_of_digits_is_none_of_an_icon():
    assert pictured(f"<figure><img src=/a.jpg width={'9' * 5000}></figure>") == [("https://lantern.example/a.jpg", "")]


def test_of_links_within_links_of_a_cell_the_outer_one_counts():
    cell = "<object><a href=/inner>North quay</a></object>"
    inside = (
        f"<table><tr><td>{BODY[0]}</td><td><a href=/outer>Read of {cell}</a></td></tr>"
        f"<tr><td>{BODY[1]}</td><td>No</td></tr></table>"
    )
    assert [url.rpartition("/")[2] for url, _ in linked(inside)] == ["outer"]
