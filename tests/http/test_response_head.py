"""Heads of answers that no server should send and browsers take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.http.response_head import repair_head

OK = b"HTTP/1.1 200 OK\r\n"
TE = b"Transfer-Encoding: "
END = b"\r\n\r\n"


@pytest.mark.parametrize(
    ("lines", "repaired"),
    [
        pytest.param(b"X Powered By: PHP\r\nA: b", b"A: b", id="a space in a name"),
        pytest.param(b"Broken header\r\nA: b", b"A: b", id="no colon"),
        pytest.param(b" X-First: y\r\nA: b", b"X-First: y\r\nA: b", id="a space before the first name"),
        pytest.param(b"X-Server : y", b"X-Server: y", id="a space behind a name"),
        pytest.param(b": y\r\nA: b", b"A: b", id="an empty name"),
        pytest.param("X-Näme: y\r\nA: b".encode(), b"A: b", id="a letter that is no token"),
        pytest.param(b"X-T: a\0b\x1bc\rd", b"X-T: abcd", id="controls in a value"),
        pytest.param("X-T: Café".encode(), "X-T: Café".encode(), id="letters in a value"),
        pytest.param(b"A: b;\r\n\tc=d", b"A: b; c=d", id="a value that goes on in the next line"),
        pytest.param(TE + b"chunked, Chunked", TE + b"chunked", id="chunked twice"),
        pytest.param(TE + b"chunked\r\ntransfer-encoding: chunked", TE + b"chunked", id="in two"),
        pytest.param(TE + b"chunked\r\nContent-Length: 9", TE + b"chunked", id="and a length"),
        pytest.param(
            TE + b"gzip, chunked",
            b"Content-Encoding: gzip\r\n" + TE + b"chunked",
            id="compressed",
        ),
        pytest.param(b"Content-Length: +12", b"Content-Length: 12", id="a plus sign"),
        pytest.param(b"Content-Length: 12, 12", b"Content-Length: 12", id="a length twice"),
        pytest.param(b"Content-Length: 12, 13", b"Content-Length: 12, 13", id="two lengths are left alone"),
        pytest.param(b"Content-Length: -1\r\nA: b", b"A: b", id="a length that is none"),
        pytest.param(b"Content-Length:\r\nA: b", b"A: b", id="an empty length"),
        pytest.param(b'Content-Length: "12"\r\nA: b', b"A: b", id="a length in quotation marks"),
        pytest.param(TE + b'"chunked"', TE + b"chunked", id="in quotation marks"),
        pytest.param(b"Content-Length: 12\r\n" + TE + b"foo", b"Content-Length: 12", id="an unknown coding"),
    ],
)
def test_what_a_strict_parser_refuses_is_mended_or_left_out(lines, repaired):
    assert repair_head(OK + lines + END) == OK + repaired + END


@pytest.mark.parametrize(
    ("line", "repaired"),
    [
        (b"http/1.1 200 ok", b"HTTP/1.1 200 ok"),
        (b"HTTP/2 200 OK", b"HTTP/1.1 200 OK"),
        (b"HTTP/1.1\t200\tOK  then", b"HTTP/1.1 200 OK  then"),
        (b"ICY 200 OK", b"HTTP/1.0 200 OK"),
        (b"\r\nHTTP/1.1 204", b"HTTP/1.1 204"),
        (b"HTTP/1.1 2x0 OK", None),
        (b"SSH-2.0-OpenSSH", None),
    ],
)
def test_the_first_line(line, repaired):
    head = line + END
    assert repair_head(head) == (head if repaired is None else repaired + END)


@given(st.binary(max_size=200))
def test_any_bytes_can_be_repaired_and_what_is_repaired_stays(data):
    head = OK + data.replace(b"\n\n", b"").replace(b"\n\r\n", b"") + END
    once = repair_head(head)
    assert repair_head(once) == once
