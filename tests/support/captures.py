"""A response as it is captured for the WARC files, made by hand."""

from datetime import UTC, datetime

from pipeline.model import Capture

AT = datetime(2026, 11, 23, 12, 30, 0, 123456, tzinfo=UTC)
HTML = b"<!doctype html><title>Tides</title><p>The tidal gate closes on Friday.</p>"


def capture(body=HTML, **fields):
    values = {
        "url": "https://news.example/1?a=b",
        "status": 200,
        "phrase": "OK",
        "headers": ((b"Content-Type", b"text/html; charset=utf-8"), (b"X-Place", "München".encode())),
        "request": ((b"Host", b"news.example"), (b"User-Agent", b"test")),
        "address": "192.0.2.7",
    } | fields
    return Capture(body=body, fetched_at=AT, **values)
