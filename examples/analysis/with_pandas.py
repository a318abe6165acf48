"""Questions to exported articles, by pandas: python -m examples.analysis.with_pandas exports/articles.parquet."""

import sys

import pandas as pd


def by_site_and_day(articles: pd.DataFrame) -> pd.DataFrame:
    """Articles and words for each site and UTC day of publication."""
    first = articles[articles["published_at"].notna() & articles["duplicate_of"].isna()]
    return (
        first.assign(day=first["published_at"].dt.date)
        .groupby(["site", "day"], as_index=False)
        .agg(articles=("article_id", "size"), words=("word_count", "sum"))
        .sort_values(["site", "day"], ignore_index=True)
    )


def authors(articles: pd.DataFrame) -> pd.DataFrame:
    """Who writes most, and for how many sites."""
    return (
        articles[["site", "authors"]]
        .explode("authors")
        .dropna(subset=["authors"])
        .rename(columns={"authors": "author"})
        .groupby("author", as_index=False)
        .agg(articles=("site", "size"), sites=("site", "nunique"))
        .sort_values(["articles", "author"], ascending=[False, True], ignore_index=True)
        .head(10)
    )


if __name__ == "__main__":
    # Only the columns that are needed: texts make up most of a file.
    columns = ["article_id", "site", "authors", "published_at", "duplicate_of", "word_count"]
    exported = pd.read_parquet(sys.argv[1], columns=columns)
    print(by_site_and_day(exported))
    print(authors(exported))
