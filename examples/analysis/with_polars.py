"""Questions to exported articles, by polars: python -m examples.analysis.with_polars exports/articles.parquet."""

import sys

import polars as pl


def by_site_and_day(articles: pl.LazyFrame) -> pl.DataFrame:
    """Articles and words for each site and UTC day of publication."""
    return (
        articles.filter(pl.col("published_at").is_not_null(), pl.col("duplicate_of").is_null())
        .group_by("site", day=pl.col("published_at").dt.date())
        .agg(articles=pl.len().cast(pl.Int64), words=pl.col("word_count").sum())
        .sort("site", "day")
        .collect()
    )


def authors(articles: pl.LazyFrame) -> pl.DataFrame:
    """Who writes most, and for how many sites."""
    return (
        articles.select("site", author="authors")
        .explode("author")
        .drop_nulls("author")
        .group_by("author")
        .agg(articles=pl.len().cast(pl.Int64), sites=pl.col("site").n_unique().cast(pl.Int64))
        .sort(["articles", "author"], descending=[True, False])
        .head(10)
        .collect()
    )


if __name__ == "__main__":
    exported = pl.scan_parquet(sys.argv[1])
    print(by_site_and_day(exported))
    print(authors(exported))
