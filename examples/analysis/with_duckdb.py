"""Questions to exported articles, by DuckDB: python -m examples.analysis.with_duckdb exports/articles.parquet."""

import sys

import duckdb

BY_SITE_AND_DAY = """
SELECT site, CAST(published_at AT TIME ZONE 'UTC' AS date) AS day, count(*) AS articles, sum(word_count) AS words
FROM articles
WHERE published_at IS NOT NULL AND duplicate_of IS NULL
GROUP BY ALL
ORDER BY site, day
"""

AUTHORS = """
SELECT author, count(*) AS articles, count(DISTINCT site) AS sites
FROM (SELECT site, unnest(authors) AS author FROM articles)
GROUP BY author
ORDER BY articles DESC, author
LIMIT 10
"""


def opened(file: str) -> duckdb.DuckDBPyConnection:
    """A connection with the export as the view ``articles``; the file is read as questions need it."""
    connection = duckdb.connect()
    connection.read_parquet(file).create_view("articles")
    return connection


if __name__ == "__main__":
    with opened(sys.argv[1]) as asked:
        print(asked.sql(BY_SITE_AND_DAY))
        print(asked.sql(AUTHORS))
