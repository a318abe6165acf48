"""The raw archive: every response as it came, in WARC 1.1 files that the tools of web archives read.

::

    Capture ─warc→ records ─writer→ file, offset, length (a row of `raw`) ─folder→ member ─reader→ Response

``warc`` knows the format, ``folder`` the folder or the remote address, ``writer`` the file that is being written,
``scan`` how files are read around damage, ``rewrite`` how records and damage leave a file again. ``stream`` reads any
WARC or ARC file record by record, with ``record_splitter``. Nothing here knows SQL.
"""
