"""Which news agency an article is from, by its by-line, or by the line that its text begins or ends with."""

import re
from collections.abc import Sequence

from pipeline.metadata.tables import load_agencies

# "BERLIN (dpa) - …", "ROME, Nov 3 (Reuters) — …": in brackets, before the dash that the text begins behind.
_BEGIN = re.compile(r"[^\n(]{0,80}\(([^()\n]{2,40})\)\s*[-\u2010-\u2015]")
_END = re.compile(r"(?:^|[\s.!?\u201d\"'])\(([^()\n]{2,40})\)\s*$")


def agency_of(named: Sequence[str], text: str) -> str | None:
    """The agency that a by-line names first, or else the one of the text's dateline or last words; None for none.

    >>> agency_of((), "BERLIN (dpa) - Das Parlament stimmte am Freitag zu.")
    'dpa'
    >>> agency_of((), "The union (AP) said that it would strike.") is None
    True

    Args:
        named: agencies that the by-line names, as `pipeline.model.Metadata` has them.
        text: of the article.
    """
    if named:
        return named[0]
    known = load_agencies()
    for found in (_BEGIN.match(text), _END.search(text[-120:])):
        parts = re.split(r"\s*[/,]\s*", found[1].strip().lower()) if found else []
        if parts and all(part in known for part in parts):
            return known[parts[0]]
    return None
