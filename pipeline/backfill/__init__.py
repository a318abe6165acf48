"""Filling the archive backwards, through the path of live ingestion: the same frontier, cleaning, upserts and ledger.

Two kinds of sources. Some *list addresses* (``sitemaps``, ``wayback``, ``feeds``): these go into the frontier behind
what is live, and are fetched from there under the politeness that all runs share. Others *hold the pages* (``warc``,
``html``): these are read as a stream, and each page goes through extraction and storing as if it had just been fetched.

A job is what was asked for; its units (a sitemap, a page of an index, a file) are claimed by lease, and their progress
is stored in the transaction that stores what they brought. Whoever is killed goes on where he was.
"""

from pipeline.backfill.run import Result, begin, run, summed
from pipeline.backfill.sources import begin_day, first_units, open_units
from pipeline.store.backfill import Job, Wanted

__all__ = ["Job", "Result", "Wanted", "begin", "begin_day", "first_units", "open_units", "run", "summed"]
