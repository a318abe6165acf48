"""WARC files as they come: whole, cut off, broken in the middle, compressed in any way."""

import gzip
from io import BytesIO
from random import Random
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipeline.archive.stream import read_stream

TYPES = frozenset({"response"})


def warc(count, *, compressed=True, size=300, seed=0):
    """A file of so many responses, the same each time, and where each record begins."""
    file = BytesIO()
    writer = WARCWriter(file, gzip=compressed)
    begins = []
    for number in range(count):
        begins.append(file.tell())
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        random = Random(f"{seed} {number}")
        named = {
            "WARC-Record-ID": f"<urn:uuid:{UUID(int=random.getrandbits(128))}>",
            "WARC-Date": "2026-03-01T00:00:00Z",
        }
        payload = BytesIO(random.randbytes(size))
        writer.write_record(
            writer.create_warc_record(
                f"http://a.example/{number}", "response", payload, http_headers=headers, warc_headers_dict=named
            )
        )
    return file.getvalue(), begins


def read(data, *, start=0, chunk=1000, most=10**6):
    chunks = (data[place : place + chunk] for place in range(start, len(data), chunk))
    return list(read_stream(chunks, start, TYPES, most))


def numbers(found):
    return [int(one.fields["warc-target-uri"].rpartition("/")[2]) for one in found if not one.flaw]


def flaws(found):
    return [one.flaw for one in found if one.flaw]


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("chunk", [1, 7, 1000, 10**6])
def test_every_record_is_read_in_any_chunks(compressed, chunk):
    data, _ = warc(8, compressed=compressed, size=100)
    found = read(data, chunk=chunk)
    assert numbers(found) == list(range(8))
    assert found[-1].end == len(data)
    assert all(b"200 OK" in one.block for one in found)


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
def test_reading_goes_on_behind_any_record(compressed):
    data, _ = warc(6, compressed=compressed)
    ends = [one.end for one in read(data)]
    for done, end in enumerate(ends, start=1):
        assert numbers(read(data, start=end)) == list(range(done, 6))


def test_a_file_compressed_as_a_whole_is_read_too():
    data, _ = warc(5, compressed=False)
    assert numbers(read(gzip.compress(data))) == list(range(5))


def test_a_broken_member_costs_no_more_than_itself():
    data, begins = warc(6, size=4000)
    middle = (begins[2] + begins[3]) // 2
    broken = data[:middle] + bytes(byte ^ 0xFF for byte in data[middle : middle + 40]) + data[middle + 40 :]
    found = read(broken)
    assert numbers(found) == [0, 1, 3, 4, 5]
    assert len(flaws(found)) == 1


@pytest.mark.parametrize("seed", range(40))
def test_a_member_that_lost_its_end_costs_no_more_than_itself(seed):
    """What follows is inflated as if it belonged to it: some bytes fit by chance, often up to the end of the file."""
    data, begins = warc(6, size=4000, seed=seed)
    lost = Random(seed).randrange(9, begins[3] - begins[2] - 10)
    found = read(data[: begins[3] - lost] + data[begins[3] :])
    assert [one.block for one in found if not one.flaw] == [
        one.block for number, one in enumerate(read(data)) if number != 2
    ]
    assert flaws(found) == ["broken"]


def test_what_looks_like_a_member_is_none_where_no_record_begins():
    data, begins = warc(4, size=4000)
    chance = data[: begins[2]] + b"\x1f\x8b\x08 by chance" + gzip.compress(b"no record") + data[begins[2] :]
    found = read(chance)
    assert numbers(found) == [0, 1, 2, 3]
    assert flaws(found) == ["broken"]


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
def test_a_file_that_is_cut_off_gives_what_is_whole(compressed):
    data, begins = warc(4, compressed=compressed, size=4000)
    found = read(data[: begins[3] + 900])
    assert numbers(found) == [0, 1, 2]
    assert flaws(found) == ["cut"]


def test_junk_between_records_is_passed_over():
    data, begins = warc(3, compressed=False)
    found = read(data[: begins[1]] + b"what is this?\r\n\r\n" + data[begins[1] :])
    assert numbers(found) == [0, 1, 2]
    assert flaws(found) == ["broken"]


def test_a_record_that_is_too_large_is_passed_over_without_being_kept():
    file = BytesIO()
    writer = WARCWriter(file, gzip=True)
    for number, size in enumerate((100, 3_000_000, 100)):
        headers = StatusAndHeaders("200 OK", [], protocol="HTTP/1.1")
        payload = BytesIO(b"x" * size)
        record = writer.create_warc_record(
            f"http://a.example/{number}", "response", payload=payload, http_headers=headers
        )
        writer.write_record(record)
    found = read(file.getvalue(), most=100_000)
    assert numbers(found) == [0, 2]
    assert [one.flaw for one in found] == [None, "too_large", None]
    assert found[1].fields["warc-target-uri"] == "http://a.example/1"


def test_records_of_other_types_come_without_their_data():
    file = BytesIO()
    writer = WARCWriter(file, gzip=True)
    writer.write_record(writer.create_warcinfo_record("x.warc.gz", {"software": "a test"}))
    assert [(one.fields["warc-type"], one.block) for one in read(file.getvalue())] == [("warcinfo", b"")]


def zero(data, begin, end):
    return data[:begin] + bytes(end - begin) + data[end:]


def cut_out(data, begin, end):
    return data[:begin] + data[end:]


def scramble(data, begin, end):
    return data[:begin] + Random(begin).randbytes(end - begin) + data[end:]


def cut_off(data, begin, end):
    return data[:begin]


@settings(max_examples=200, deadline=None)
@given(
    st.booleans(),
    st.sampled_from([zero, cut_out, scramble, cut_off]),
    st.integers(0, 11_000),
    st.sampled_from([1, 5, 60, 200, 1500]),
)
@example(False, scramble, 6630, 200)
@example(False, cut_out, 5088, 60)
@example(True, zero, 10457, 1)  # the damaged record gets the address of another
def test_damage_costs_no_record_that_it_did_not_hit(compressed, damage, begin, length):
    data, begins = warc(12, compressed=compressed, size=900)
    begin = min(begin, len(data) - 1)
    end = len(data) if damage is cut_off else min(len(data), begin + length)
    hit = {number for number, at in enumerate(begins) if at < end and begin < [*begins, len(data)][number + 1]}
    before = {record.fields["warc-target-uri"]: record.block for record in read(data)}
    found = read(damage(data, begin, end))
    after = {record.fields.get("warc-target-uri"): record.block for record in found if not record.flaw}
    for number in set(range(12)) - hit:
        url = f"http://a.example/{number}"
        assert after.get(url) == before[url]


@pytest.mark.parametrize("digits", [b"9445", b"00001", b"99999"], ids=["longer", "shorter", "beyond the end"])
def test_a_length_that_is_wrong_costs_one_record(digits):
    data, begins = warc(6, compressed=False, size=900)
    at = data.index(b"Content-Length: ", begins[2]) + len(b"Content-Length: ")
    damaged = data[:at] + digits + data[data.index(b"\r\n", at) :]
    found = read(damaged)
    assert set(numbers(found)) >= {0, 1, 3, 4, 5}
    assert flaws(found) == ["broken"]


def test_nothing_is_no_record():
    assert read(b"") == []


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_come_to_an_end(data, chunk):
    found = read(data, chunk=chunk)
    assert all(one.end <= len(data) for one in found)


WHOLE, _ = warc(5, size=600)


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_one_flipped_byte_costs_one_record_at_most(where, bits):
    place = int(where * len(WHOLE))
    flipped = WHOLE[:place] + bytes([WHOLE[place] ^ bits]) + WHOLE[place + 1 :]
    assert len(set(numbers(read(flipped)))) >= 4
