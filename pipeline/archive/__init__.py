"""The raw archive: every answer as it came, in WARC 1.1 files that any tool of the web archives reads.

::

    Capture ─warc→ records ─writer→ file, offset, length (a row of `raw`) ─place→ record ─read→ Response

``warc`` knows the format, ``place`` the folder or the remote address, ``writer`` the file that is being written,
``rewrite`` how records leave a file again. Nothing here knows SQL.
"""
