"""What is hard to reach through a server: decoding, look-ups, transports, pure functions of `pipeline.fetch`."""

import asyncio
import gzip
import ipaddress
import random
import ssl
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import brotli
import httpcore
import httpx
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import FetchError
from pipeline.errors.failure_reasons import find_reason
from pipeline.fetch.connect import MAX_ADDRESSES, GuardedBackend, GuardedTransport
from pipeline.fetch.transports import KEEP_ALIVE_SECONDS, Transports
from pipeline.http.answers import MAX_RETRY_AFTER, parse_url, redirect_target, retry_after
from pipeline.http.codings import PIECE_BYTES, BodyDecoder
from pipeline.http.failure import WireFailure
from pipeline.http.ssrf_guard import SsrfGuard
from tests.support.web import Web, page

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIB = 2**20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACK = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}
CODINGS = sorted(PACK)


def decoded(codings: str, wire: bytes, *, step: int = 65_536, most: int = 10 * MIB) -> bytes:
    body = BodyDecoder(codings, most)
    for start in range(0, len(wire), step):
        body.feed(wire[start : start + step])
    return body.finish()


def reason(codings: str, wire: bytes, **options: int) -> str:
    with pytest.raises(WireFailure) as caught:
        decoded(codings, wire, **options)
    return caught.value.reason


def long_text() -> bytes:
    """Text of several pieces' size, with parts that compress well and parts that hardly do."""
    dice = random.Random(1)
    words = [b"alpha ", b"beta ", b"gamma\n", bytes(2000)]
    return b"".join(dice.choice([*words, dice.randbytes(9)]) for _ in range(2_000))


LONG = long_text()
assert len(LONG) > 5 * PIECE_BYTES


# ------------------------------------------------------------------------------------------------- decoding


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("step", [1, 7, 1000, 65_536])
def test_a_body_is_decoded_in_whatever_chunks_it_comes(coding, step):
    text = LONG if step > 1 else LONG[:3000]
    assert decoded(coding, PACK[coding](text), step=step) == text


@pytest.mark.parametrize(
    ("codings", "wire"),
    [
        pytest.param("", b"text", id="no coding"),
        pytest.param("identity", b"text", id="identity"),
        pytest.param("utf-8", b"text", id="a charset in the wrong place"),
        pytest.param("none, ,", b"text", id="words that mean nothing"),
        pytest.param(" GZIP ", gzip.compress(b"text"), id="upper case and blanks"),
        pytest.param("deflate", raw_deflate(b"text"), id="deflate without zlib's frame"),
        pytest.param("gzip, br", brotli.compress(gzip.compress(b"text")), id="one after the other"),
        pytest.param("gzip,identity,gzip", gzip.compress(gzip.compress(b"text")), id="twice"),
        pytest.param("gzip", gzip.compress(b"te") + gzip.compress(b"xt"), id="two gzip members"),
        pytest.param("gzip", gzip.compress(b"text") + b"\0\0\0garbage", id="garbage behind gzip"),
        pytest.param("deflate", zlib.compress(b"text") + b"garbage", id="garbage behind deflate"),
        pytest.param("zstd", zstandard.compress(b"te") + zstandard.compress(b"xt"), id="two zstd frames"),
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_codings_are_read_tolerantly(codings, wire, step):
    assert decoded(codings, wire, step=step) == b"text"


@pytest.mark.parametrize("coding", CODINGS)
def test_nothing_decodes_to_nothing(coding):
    assert decoded(coding, b"") == b""
    assert decoded(coding, PACK[coding](b"")) == b""


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("share", [0.1, 0.6, 0.99])
def test_a_compressed_stream_that_stops_early_is_truncated(coding, share):
    wire = PACK[coding](LONG)
    assert reason(coding, wire[: int(len(wire) * share)]) == "truncated"


@pytest.mark.parametrize("coding", CODINGS)
def test_a_missing_last_byte_is_noticed(coding):
    assert reason(coding, PACK[coding](LONG)[:-1]) == "truncated"


@pytest.mark.parametrize("coding", CODINGS)
def test_a_single_byte_is_not_a_whole_stream(coding):
    assert reason(coding, PACK[coding](LONG)[:1]) == "truncated"


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_is_not_what_it_says_is_badly_encoded(coding):
    assert reason(coding, b"<html><body>not compressed at all</body></html>" * 20) == "bad_encoding"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_a_spoilt_body_is_badly_encoded(coding):
    wire = bytearray(PACK[coding](LONG))
    wire[len(wire) // 2] ^= 0xFF
    assert reason(coding, bytes(wire)) in ("bad_encoding", "truncated")


def test_a_wrong_checksum_is_badly_encoded():
    wire = bytearray(gzip.compress(LONG))
    wire[-8] ^= 0xFF
    assert reason("gzip", bytes(wire)) == "bad_encoding"


@pytest.mark.parametrize("codings", ["compress", "gzip, exi", "dcb", "gzip,gzip,gzip,gzip"])
def test_codings_that_we_never_asked_for_are_refused(codings):
    assert reason(codings, b"x") == "bad_encoding"


@given(st.sampled_from([*CODINGS, "gzip, br", "zstd, gzip"]), st.binary(max_size=400), st.integers(1, 50))
@example("br", b"\x0b\x02\x80text\x03", 1)
@example("deflate", b"\x78", 1)
@example("zstd", b"\x28\xb5\x2f\xfd", 2)
def test_any_bytes_decode_or_fail(codings, wire, step):
    body = BodyDecoder(codings, 1000)
    outcome = "decoded"
    try:
        for start in range(0, len(wire), step):
            body.feed(wire[start : start + step])
        assert len(body.finish()) <= 1000
    except WireFailure as failure:
        outcome = failure.reason
    assert outcome in ("decoded", "bad_encoding", "truncated", "too_large")


# ---------------------------------------------------------------------------------------------------- bombs


def deflate_bomb(wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    # A full flush makes the compressed form of a block independent of what is before: it can be repeated.
    head = packer.compress(b"x") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(16 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * 64


def brotli_bomb() -> bytes:
    packer = brotli.Compressor(quality=2)
    block = bytes(16 * MIB)
    return b"".join(packer.process(block) for _ in range(16)) + packer.finish()


def zstd_bomb() -> bytes:
    """One frame of run-length blocks: four bytes for each 128 KiB, the most that the format gives."""
    header = b"\x28\xb5\x2f\xfd" + bytes([0x00, 0x68])  # a window of 8 MiB
    block = (131_072 << 3 | 1 << 1).to_bytes(3, "little") + b"x"
    return header + block * 8191


@pytest.mark.parametrize(
    ("codings", "make"),
    [
        pytest.param("gzip", lambda: deflate_bomb(31), id="gzip, 1 GiB"),
        pytest.param("deflate", lambda: deflate_bomb(15), id="deflate, 1 GiB"),
        pytest.param("gzip, gzip", lambda: gzip.compress(deflate_bomb(31)), id="gzip twice, 1 GiB"),
        pytest.param("br", brotli_bomb, id="br, 256 MiB"),
        pytest.param("zstd", zstd_bomb, id="zstd, 1 GiB"),
        pytest.param("zstd, br", lambda: brotli.compress(zstd_bomb()), id="zstd in br, 1 GiB"),
    ],
)
def test_a_bomb_does_not_get_far_past_the_limit(codings, make):
    wire = make()
    tracemalloc.start()
    try:
        assert reason(codings, wire, most=MIB) == "too_large"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * MIB


def test_zstandard_may_not_ask_for_a_huge_window():
    # 2 GiB of window, in a frame that holds three bytes: only the memory asked for is the attack.
    assert reason("zstd", b"\x28\xb5\x2f\xfd" + bytes([0x00, 0xA8]) + b"\x19\x00\x00abc") == "bad_encoding"


def test_a_stream_that_decodes_to_nothing_ends_too():
    empty = gzip.compress(b"")
    assert reason("gzip", empty * 10_000, most=100_000) == "too_large"


# ----------------------------------------------------------------------------------- the guarded connection


LAB = SsrfGuard(allow_networks=(ipaddress.ip_network("127.0.0.0/8"),))


def connect(backend: GuardedBackend, port: int, host: str = "news.example", timeout: float | None = 5) -> str:
    """Connect, and tell the address that was reached."""

    async def within() -> str:
        stream = await backend.connect_tcp(host, port, timeout=timeout)
        try:
            return str(stream.get_extra_info("server_addr")[0])
        finally:
            await stream.aclose()

    return asyncio.run(within())


@pytest.fixture
def resolver():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_the_address_that_was_judged_is_the_one_connected_to(resolver):
    answers = [["127.0.0.2"], ["127.0.0.3"]]
    asked = []

    def look_up(host: bytes, port: int) -> list[str]:
        asked.append((host, port))
        return answers.pop(0)

    with Web(addresses=("127.0.0.2", "127.0.0.3")) as web:
        backend = GuardedBackend(LAB, resolver, look_up)
        assert connect(backend, web.port) == "127.0.0.2"
        assert connect(backend, web.port) == "127.0.0.3"
        assert asked == [(b"news.example", web.port)] * 2


def test_a_name_that_turns_private_is_refused_the_next_time(resolver):
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    with Web() as web:
        backend = GuardedBackend(LAB, resolver, lambda host, port: answers.pop(0))
        assert connect(backend, web.port) == "127.0.0.1"
        with pytest.raises(WireFailure) as caught:
            connect(backend, web.port)
    assert (caught.value.reason, caught.value.temporary) == ("blocked_address", False)
    assert "10.0.0.1" in str(caught.value)


def test_forbidden_addresses_are_passed_over(resolver):
    found = ["10.0.0.1", "::1", "169.254.169.254", "127.0.0.1"]
    with Web() as web:
        assert connect(GuardedBackend(LAB, resolver, lambda host, port: found), web.port) == "127.0.0.1"


def test_the_next_address_is_tried_when_one_does_not_answer(resolver):
    with Web(addresses=("127.0.0.3",)) as web:
        found = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        assert connect(GuardedBackend(LAB, resolver, lambda host, port: found), web.port) == "127.0.0.3"


def test_only_so_many_addresses_are_tried(resolver):
    with Web(addresses=("127.0.0.9",)) as web:
        found = [*(f"127.0.0.{n}" for n in range(1, MAX_ADDRESSES + 1)), "127.0.0.9"]
        with pytest.raises(httpcore.ConnectError):
            connect(GuardedBackend(LAB, resolver, lambda host, port: found), web.port)
    assert web.connections == 0


def test_the_other_family_gets_its_turn(resolver):
    with Web(addresses=("127.0.0.9",)) as web:
        found = [*(f"::ffff:127.0.0.{n}" for n in range(1, MAX_ADDRESSES + 1)), "127.0.0.9"]
        assert connect(GuardedBackend(LAB, resolver, lambda host, port: found), web.port) == "127.0.0.9"


def test_a_look_up_that_hangs_is_a_failure_in_time(resolver):
    release = threading.Event()
    backend = GuardedBackend(LAB, resolver, lambda host, port: [str(release.wait(30))])
    try:
        with pytest.raises(WireFailure) as caught:
            connect(backend, 80, timeout=0.1)
    finally:
        release.set()
    assert (caught.value.reason, caught.value.temporary) == ("dns", True)


@pytest.mark.parametrize("found", [[], ["not an address"], ["10.0.0.1"]])
def test_answers_without_a_permitted_address_are_refused(resolver, found):
    with pytest.raises(WireFailure) as caught:
        connect(GuardedBackend(LAB, resolver, lambda host, port: found), 80)
    assert caught.value.reason in ("blocked_address", "dns")


def test_ports_and_unix_sockets_are_refused(resolver):
    backend = GuardedBackend(LAB, resolver)
    with pytest.raises(WireFailure, match="port 25"):
        connect(backend, 25, "127.0.0.1")
    with pytest.raises(WireFailure, match="unix socket"):
        asyncio.run(backend.connect_unix_socket("/run/docker.sock"))


# ------------------------------------------------------------------------------------------------ transports


def fetched(transport: httpx.AsyncBaseTransport, url: str) -> bytes:
    """The body that the transport gets, through httpx's own client."""

    async def within() -> bytes:
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            return (await client.get(url)).content

    return asyncio.run(within())


def test_the_transport_of_httpx_asks_the_guard(resolver):
    # This is what fails should httpx come to keep its connections elsewhere than where ours are put.
    def transport(guard: SsrfGuard) -> GuardedTransport:
        return GuardedTransport(GuardedBackend(guard, resolver), 1, ssl.create_default_context())

    with Web({"/": page("secret")}) as web:
        with pytest.raises(WireFailure, match="no public address"):
            fetched(transport(SsrfGuard()), web.url())
        assert web.connections == 0
        assert fetched(transport(LAB), web.url()) == b"secret"


class Ticking:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def origins(*names: str) -> list[httpx.URL]:
    return [httpx.URL(f"http://{name}.example/") for name in names]


def transports_of(most: int, clock: Ticking) -> tuple[Transports, list[httpx.AsyncBaseTransport]]:
    made: list[httpx.AsyncBaseTransport] = []

    def make() -> httpx.AsyncBaseTransport:
        made.append(httpx.AsyncHTTPTransport())
        return made[-1]

    return Transports(make, most, clock), made


def test_an_origin_keeps_its_transport():
    async def work() -> None:
        transports, made = transports_of(5, Ticking())
        for url in ("http://a.example/1", "http://a.example/2", "https://a.example/", "http://a.example:81/"):
            async with transports.of(httpx.URL(url)):
                pass
        assert len(made) == 3
        await transports.close()

    asyncio.run(work())


def test_the_transport_that_was_left_first_goes_first():
    async def work() -> None:
        transports, made = transports_of(2, Ticking())
        a, b, c = origins("a", "b", "c")
        for url in (a, b, a, c, a):  # b goes when c comes
            async with transports.of(url):
                pass
        assert len(made) == 3
        async with transports.of(b):
            assert len(made) == 4

    asyncio.run(work())


def test_a_transport_in_use_stays_however_many_there_are():
    async def work() -> None:
        clock = Ticking()
        transports, made = transports_of(1, clock)
        async with AsyncExitStack() as stack:
            for url in origins("a", "b", "c"):
                await stack.enter_async_context(transports.of(url))
            clock.now += 10 * KEEP_ALIVE_SECONDS
            async with transports.of(origins("d")[0]):
                pass
            async with transports.of(origins("a")[0]) as transport:
                assert transport is made[0]
        assert len(made) == 4

    asyncio.run(work())


def test_a_transport_that_nobody_came_back_to_is_closed():
    with Web({"/": page("x")}) as web:

        async def work() -> None:
            clock = Ticking()
            transports, _ = transports_of(5, clock)
            async with transports.of(httpx.URL(web.url())) as transport:
                response = await transport.handle_async_request(httpx.Request("GET", web.url()))
                assert await response.aread() == b"x"
            socket = response.extensions["network_stream"].get_extra_info("socket")
            assert socket.fileno() >= 0
            clock.now += KEEP_ALIVE_SECONDS + 1
            async with transports.of(origins("b")[0]):
                pass
            assert socket.fileno() == -1  # closed
            await transports.close()

        asyncio.run(work())


# ------------------------------------------------------------------------------------------- pure functions


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, None, id="no header"),
        pytest.param("", None, id="empty"),
        pytest.param("0", timedelta(0), id="at once"),
        pytest.param(" 30 ", timedelta(seconds=30), id="seconds in blanks"),
        pytest.param("+30", timedelta(seconds=30), id="a sign"),
        pytest.param("1.5", timedelta(seconds=1), id="a fraction"),
        pytest.param("-30", timedelta(0), id="negative"),
        pytest.param("604801", MAX_RETRY_AFTER, id="more than a week"),
        pytest.param("9" * 5000, MAX_RETRY_AFTER, id="a number too long to read"),
        pytest.param("-" + "9" * 5000, timedelta(0), id="the same below zero"),
        pytest.param("Sun, 01 Mar 2026 12:05:00 GMT", timedelta(minutes=5), id="a date"),
        pytest.param("Sun, 01 Mar 2026 13:05:00 +0100", timedelta(minutes=5), id="a date with an offset"),
        pytest.param("Sunday, 01-Mar-26 12:05:00 GMT", timedelta(minutes=5), id="a date of RFC 850"),
        pytest.param("Sun Mar  1 12:05:00 2026", timedelta(minutes=5), id="a date of asctime"),
        pytest.param("Sun, 01 Mar 2020 12:00:00 GMT", timedelta(0), id="a date gone by"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER, id="the end of time"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 -2359", MAX_RETRY_AFTER, id="beyond the end of time"),
        pytest.param("tomorrow", None, id="a word"),
        pytest.param("12 parsecs", None, id="another unit"),
        pytest.param("٣", timedelta(seconds=3), id="other digits"),
    ],
)
def test_retry_after_is_a_duration_within_bounds(value, expected):
    assert retry_after(value, NOW) == expected


@given(st.text(max_size=60))
@example("Fri, 31 Dec 99999 23:59:59 GMT")
@example("Mon, 0 Foo 0 0:0:0 +99999999999")
def test_any_retry_after_is_understood_or_not(value):
    wait = retry_after(value, NOW)
    assert wait is None or timedelta(0) <= wait <= MAX_RETRY_AFTER


def test_a_class_of_statuses_is_temporary_and_the_rest_is_not():
    assert {code for code in range(100, 500) if find_reason(f"http_{code}").is_temporary} == {
        206,
        226,
        304,
        403,
        408,
        425,
        429,
    }
    assert all(find_reason(f"http_{code}").is_temporary for code in range(500, 1000))


@given(st.text(max_size=80) | st.text(alphabet="aA0:/?#@[]%.\\\u3002", max_size=30).map("http:{}".format))
@example("http://[")
@example("http://\udcff/")
@example("http://a:１/")
@example("https:////a")
@example("http:a")
@example("http://a?b=/")
def test_any_text_is_a_url_or_a_value_error(text):
    try:
        url = parse_url(text)
    except ValueError:
        return
    assert url.fragment == ""
    with suppress(FetchError):
        SsrfGuard().check_url(str(url))
        # The guard reads what is written, the wire what is parsed: where the guard agrees, they must be the same.
        judged, again = urlsplit(str(url)), parse_url(str(url))
        assert (judged.hostname, judged.port) == (url.raw_host.decode(), url.port)
        assert (again.raw_host, again.port, again.raw_path) == (url.raw_host, url.port, url.raw_path)


@given(st.none() | st.text(max_size=80))
@example("http://[")
@example("//")
def test_any_location_leads_somewhere_or_is_a_value_error(location):
    try:
        target = redirect_target(httpx.URL("http://news.example/a/b"), location)
    except ValueError:
        return
    assert isinstance(target, httpx.URL)
