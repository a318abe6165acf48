import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import ExtractError
from pipeline.html.decode import MAX_DEPTH, MAX_TAGS, parse_html
from pipeline.html.encodings import decode

GREEK = "Ο δήμαρχος άνοιξε τη γέφυρα. Οι κάτοικοι περίμεναν τρία χρόνια για αυτό το έργο στην πόλη."


def page(text: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}</head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("body", "charset", "text", "encoding"),
    [
        pytest.param("\ufeffcafé".encode("utf-16-le"), "iso-8859-1", "café", "utf-16-le", id="BOM beats the header"),
        pytest.param("café".encode(), "iso-8859-1", "café", "utf-8", id="valid UTF-8 beats a lying header"),
        pytest.param(
            page("café", '<meta charset="windows-1251">').encode(), None, "café", "utf-8", id="and a lying meta element"
        ),
        pytest.param("café".encode("latin-1"), "ISO-8859-1", "café", "cp1252", id="header, widened as browsers do"),
        pytest.param("“café”".encode("cp1252"), "latin1", "“café”", "cp1252", id="quotes that latin-1 does not have"),
        pytest.param(
            page("Привет", '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">').encode(
                "cp1251"
            ),
            None,
            "Привет",
            "cp1251",
            id="meta element",
        ),
        pytest.param("新聞".encode("gb18030"), "gb2312", "新聞", "gb18030", id="gb2312 means gb18030"),
        pytest.param(b"Z\xfcrich", "nonsense", "Z", "", id="unknown label"),
        pytest.param("日本の新聞記事".encode("utf-16-be"), None, "", "", id="no hint at all still gives text"),
        pytest.param("plain text here".encode("utf-16-le"), None, "plain text here", "utf-16-le", id="UTF-16 unmarked"),
    ],
)
def test_decoding_believes_the_bytes_first(body, charset, text, encoding):
    decoded, used = decode(body, charset)
    assert text in decoded
    assert used == (encoding or used)


def test_a_few_broken_bytes_do_not_make_utf8_something_else():
    text, encoding = decode(GREEK.encode() + b"\xff" + GREEK.encode()[:-1], "iso-8859-7")
    assert encoding == "utf-8"
    assert GREEK in text


QUOTED = "<p>“We’ve waited,” she said.</p>".encode()


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        pytest.param(QUOTED + b"<p>Caf\xe9 am Kai</p>", "utf-8", id="declared"),
        pytest.param(QUOTED + b"<p>Caf\xe9 am Kai</p>", None, id="not declared"),
    ],
)
def test_a_stray_byte_is_read_as_windows_has_it_and_the_rest_as_it_stands(body, charset):
    text, encoding = decode(body, charset)
    assert encoding == "utf-8"
    assert "“We’ve waited,”" in text
    assert "Café am Kai" in text


def test_japanese_in_escapes_is_no_ascii():
    assert decode("<p>港の古い桟橋</p>".encode("iso2022_jp"), "utf-8") == ("<p>港の古い桟橋</p>", "iso2022_jp_2")


def test_undeclared_greek_is_detected():
    text, _ = decode(page(GREEK * 4).encode("iso-8859-7"))
    assert "γέφυρα" in text


def test_the_root_is_given_whole_and_without_comments():
    document = parse_html(page("before<!-- hidden -->after").encode())
    assert document.tree.tag == "html"
    assert "".join(document.tree.itertext()).strip() == "beforeafter"


@pytest.mark.parametrize("body", [b"", b" \n\t", b"\0\0"], ids=["nothing", "white space", "NULs"])
def test_nothing_is_empty(body):
    with pytest.raises(ExtractError) as caught:
        parse_html(body, url="https://news.example/a")
    assert (caught.value.reason, caught.value.url) == ("empty", "https://news.example/a")


def test_a_comment_alone_is_unparsable():
    with pytest.raises(ExtractError) as caught:
        parse_html(b"<!-- gone -->")
    assert caught.value.reason == "unparsable"


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param(b"a\0b", id="NUL"),
        pytest.param(b"<p title='" + b"x" * 1_200_000 + b"'>long attribute</p>", id="long attribute"),
        pytest.param(
            b"<p title='" + b"x" * 11_000_000 + b"'>very long attribute</p>", id="attribute beyond libxml2's limit"
        ),
        pytest.param(b"<div>" * 1000 + b"deep" + b"</div>" * 1000, id="deep nesting"),
        pytest.param(b"<p " + b" ".join(b"a%d=1" % i for i in range(100_000)) + b">x</p>", id="100,000 attributes"),
        pytest.param(b"<" * 100_000 + b">", id="open brackets"),
        pytest.param(b"<p>\xff\xfe\xe9 caf\xc3\xa9</p>", id="mixed encodings"),
    ],
)
def test_hostile_markup_loses_nothing_that_follows_it(inner):
    tree = parse_html(b"<html><body>" + inner + b"<p>the end</p></body></html>").tree
    assert "the end" in "".join(tree.itertext())


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(b"for (i = 0; i <n && " + b"m [i] = k [i] + " * 400 + b"0;)", id="up to the end of the script"),
        pytest.param(b"if (0<arguments.length && " + b"m [i] = k [i] + " * 400 + b"0 > 1)", id="up to another one"),
    ],
)
def test_a_comparison_in_a_script_is_no_tag(code):
    page = (
        b"<html><head><script>" + code + b'</script><script id="data">{"kept": 1}</script></head><body>x</body></html>'
    )
    first, second = parse_html(page).tree.findall(".//script")
    assert first.text == code.decode()
    assert (second.get("id"), second.text) == ("data", '{"kept": 1}')


def test_a_page_without_end_is_cut():
    tree = parse_html(b"<html><body><p>begin</p>" + b"<i>x</i>" * (MAX_TAGS // 2) + b"<p>the end</p>").tree
    assert "begin" in "".join(tree.itertext())
    assert "the end" not in "".join(tree.itertext())


def test_nesting_is_bounded_and_its_text_kept():
    tree = parse_html(b"<html><body>" + b"<div>" * 1500 + b"the <b>deep</b> text" + b"</div>" * 1500).tree
    depth, element = 0, tree
    while len(element):
        depth, element = depth + 1, element[-1]
    assert depth <= MAX_DEPTH
    assert "the deep text" in " ".join("".join(tree.itertext()).split())


@given(st.binary(max_size=400), st.one_of(st.none(), st.text(max_size=12)))
@example(b"\xff\xfe", None)
@example(b"<p>x", "hex")
@example(b"<?xml version='1.0' encoding='utf-99'?>\xe9", "idna")
@example(b"a\xe9", "undefined")
def test_any_bytes_are_parsed_or_refused(body, charset):
    try:
        outcome = parse_html(body, charset).tree.tag
    except ExtractError as error:
        outcome = error.reason
    assert outcome in {"html", "empty", "unparsable"}
