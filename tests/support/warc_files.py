"""WARC files of articles, made with warcio."""

from io import BytesIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.support.stories import article_page

SITE = "http://a.example"


def warc_of(pages, *, day=5, compressed=True):
    """A WARC file of pages (URL, bytes or (status, type, bytes)), captured on a day of March 2026."""
    file = BytesIO()
    writer = WARCWriter(file, gzip=compressed)
    writer.write_record(writer.create_warcinfo_record("test.warc.gz", {"software": "a test"}))
    for url, body in pages:
        status, kind, content = body if isinstance(body, tuple) else ("200 OK", "text/html; charset=utf-8", body)
        headers = StatusAndHeaders(status, [("Content-Type", kind)], protocol="HTTP/1.1")
        named = {"WARC-Date": f"2026-03-{day:02}T10:00:00Z"}
        payload = BytesIO(content)
        record = writer.create_warc_record(
            url, "response", payload=payload, http_headers=headers, warc_headers_dict=named
        )
        writer.write_record(record)
    return file.getvalue()


def articles(*numbers, site=SITE, **options):
    return [(f"{site}/{number}", article_page(number, **options).encode()) for number in numbers]
