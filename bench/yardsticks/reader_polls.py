"""Polling with lemon24/reader, as its documentation shows it: `update_feeds` with 20 workers.

python reader_polls.py add READER.db FEEDS.txt
python reader_polls.py update READER.db
"""

import sys
from pathlib import Path

from reader import make_reader

WORKERS = 20


def main() -> None:
    """Add feeds, or update all of them."""
    verb, database, *rest = sys.argv[1:]
    reader = make_reader(database)
    if verb == "add":
        for url in Path(rest[0]).read_text().split():
            reader.add_feed(url)
    else:
        reader.update_feeds(workers=WORKERS, scheduled=False)  # else a second call within the hour asks nobody
        print(reader.get_entry_counts().total)


if __name__ == "__main__":
    main()
