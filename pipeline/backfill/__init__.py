"""Filling the archive backwards, through the path of live ingestion: the same frontier, cleaning, upserts and ledger.

There are two kinds of sources. Some *list addresses* (``sitemaps``, ``wayback``, ``feeds``): these go into the
frontier behind what is live, and are fetched from there under the politeness that all runs share. Others *hold the
pages* (``warc``, ``html``): these are read as a stream, and each page goes through extraction and storing as if it had
just been fetched.

A job is what was asked for; its units (a sitemap, a page of an index, a file) are claimed by lease, and their progress
is stored in the transaction that stores what they brought. A backfill that is killed continues where it was.
"""

from pipeline.backfill.flow import BackfillResult, begin_job, run_job, sum_counts
from pipeline.backfill.source_units import begin_day, first_units, open_units
from pipeline.store.backfill.job_values import BackfillJob, BackfillRequest

__all__ = [
    "BackfillJob",
    "BackfillRequest",
    "BackfillResult",
    "begin_day",
    "begin_job",
    "first_units",
    "open_units",
    "run_job",
    "sum_counts",
]
