"""What the dialects say differently: pieces that views name in braces, such as ``{authors}``, spelt out for each."""

from collections.abc import Mapping

from pipeline.store.schema.article_columns import SEPARATORS


def source_sql(dialect: str, host: str) -> str:
    """An expression for the site of a host, as `pipeline.urls.site_of` has it: without port and leading ``www.``."""
    if dialect == "postgresql":
        return rf"regexp_replace(split_part({host}, ':', 1), '^www\.(?=.*\.)', '')"
    name = f"substr({host}, 1, instr({host} || ':', ':') - 1)"
    return f"CASE WHEN {name} LIKE 'www.%.%' THEN substr({name}, 5) ELSE {name} END"


def day_sql(dialect: str, time: str) -> str:
    """An expression for the UTC day of a time: a date, on SQLite as text."""
    return f"CAST(timezone('UTC', {time}) AS date)" if dialect == "postgresql" else f"substr({time}, 1, 10)"


def announced_sql(page: str) -> str:
    """Whether a feed has this page: what a backfill brought, or a page led to, says nothing of a source's pace."""
    return f"EXISTS (SELECT 1 FROM entry AS n WHERE n.page_id = {page}.id)"


_COUNTED = {
    "announced": "count(p.id)",
    "fetched": "count(p.fetched_at)",
    "stored": "count(CASE WHEN p.state IN ('stored', 'alias') THEN 1 END)",
    "failed": "count(CASE WHEN p.state IN ('failed', 'blocked', 'rejected', 'gone') THEN 1 END)",
}
"""What the pages of a source and day come to."""


def _of_day(dialect: str) -> dict[str, str]:
    pieces = {f"source_of_{alias}": source_sql(dialect, f"{alias}.host") for alias in "ep"}
    pieces |= {f"day_of_{alias}": day_sql(dialect, f"{alias}.discovered_at") for alias in "ep"}
    # The day on which a source began is the first one in the index.
    first_day = f"SELECT min({pieces['day_of_p']}) AS first_day FROM page AS p WHERE {pieces['source_of_p']} = n.source"
    names = f"(SELECT DISTINCT {source_sql(dialect, 'name')} AS source FROM host) AS n"
    pieces["sources"] = (
        # Once for each source, where PostgreSQL would look it up again for each of its pages.
        f"(SELECT n.source, f.first_day FROM {names} CROSS JOIN LATERAL ({first_day} OFFSET 0) AS f)"
        if dialect == "postgresql"
        else f"(SELECT n.source, ({first_day}) AS first_day FROM {names})"
    )
    on_day = f"{pieces['source_of_p']} = g.source AND {pieces['day_of_p']} = g.day AND {announced_sql('p')}"
    if dialect == "postgresql":
        # Looked up source by source: what joins them would recompute the source of each page, which is expensive.
        counts = ", ".join(f"{count} AS {name}" for name, count in _COUNTED.items())
        pieces["pages_of_day"] = f"CROSS JOIN LATERAL (SELECT {counts} FROM page AS p WHERE {on_day}) AS p"
        pieces |= {f"{name}_of_day": f"p.{name}" for name in _COUNTED}
        pieces["by_day"] = ""
    else:
        pieces["pages_of_day"] = f"LEFT JOIN page AS p ON {on_day}"
        pieces |= {f"{name}_of_day": count for name, count in _COUNTED.items()}
        pieces["by_day"] = "\n  GROUP BY g.source, g.day, g.first_day"
    # Pages are numbered as they come: the first and the last one say from when to when the archive goes.
    day = day_sql(dialect, "discovered_at")
    first, last = (f"(SELECT {day} FROM page ORDER BY id{order} LIMIT 1)" for order in ("", " DESC"))
    if dialect == "postgresql":
        pieces["calendar"] = (
            f"(SELECT CAST(x AS date) AS day FROM generate_series({first}, {last}, interval '1 day') AS x)"
        )
        pieces["same_weekdays"] = ", ".join(f"g.day - {7 * week}" for week in range(1, 5))
        pieces["weeks_known"] = "nullif(least(4, (g.day - g.first_day) / 7), 0)"
    else:
        pieces["calendar"] = (
            f"(WITH RECURSIVE days(day) AS (SELECT {first} UNION ALL SELECT date(day, '+1 day') FROM days"
            f" WHERE day < {last}) SELECT day FROM days)"
        )
        pieces["same_weekdays"] = ", ".join(f"date(g.day, '-{7 * week} days')" for week in range(1, 5))
        pieces["weeks_known"] = "nullif(min(4, CAST(julianday(g.day) - julianday(g.first_day) AS integer) / 7), 0)"
    return pieces


_OF_WEEK = {
    "polls": "count(*)",
    "failed": "count(CASE WHEN l.outcome NOT IN ('read', 'unchanged') THEN 1 END)",
    "entries": "coalesce(sum(l.entries_new), 0)",
    "gaps": "count(CASE WHEN l.missed THEN 1 END)",
}
"""What the polls of a feed in the week up to its last one come to."""

_LISTS = {name: (f"a.{name}", separator) for name, separator in SEPARATORS.items()} | {
    "corrections_of_revision": ("r.corrections", SEPARATORS["corrections"]),
    "authors_of_entry": ("e.authors", "; "),
    "tags_of_entry": ("e.tags", "; "),
    "tags_of_feed": ("f.tags", "; "),
}
"""Lists, and what they are joined by; whole sentences become paragraphs, since no mark between them would do."""

_SEPARATORS = {"; ": ("'; '", "'; '"), "\n\n": (r"E'\n\n'", "char(10, 10)")}
"""How each separator is written on PostgreSQL and on SQLite."""

_LINK = "json_extract(o.value, '$[0]')"
_BEHIND_SCHEME = f"substr({_LINK}, instr({_LINK}, '://') + 3)"

_OFFSET = "json_extract(a.provenance, '$.published_at.offset')"
_LOCAL = "(timezone('UTC', a.published_at) + CAST(a.provenance #>> '{published_at,offset}' AS interval))"

PIECES: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        **{
            name: f"(SELECT string_agg(n.value, {_SEPARATORS[separator][0]} ORDER BY n.place)"
            f" FROM jsonb_array_elements_text({column}) WITH ORDINALITY AS n(value, place))"
            for name, (column, separator) in _LISTS.items()
        },
        "each_field": "CROSS JOIN LATERAL jsonb_each(a.provenance) AS e(key, value)",
        "each_removed": "CROSS JOIN LATERAL jsonb_array_elements(a.removed) WITH ORDINALITY AS o(value, place)",
        "removed_text": "o.value ->> 'text'",
        "removed_reason": "o.value ->> 'reason'",
        "each_paragraph": r"CROSS JOIN LATERAL unnest(string_to_array(a.text, E'\n\n'))"
        " WITH ORDINALITY AS o(value, place)",
        "each_link": "CROSS JOIN LATERAL jsonb_array_elements(a.links) WITH ORDINALITY AS o(value, place)",
        "each_picture": "CROSS JOIN LATERAL jsonb_array_elements(a.pictures) WITH ORDINALITY AS o(value, place)",
        "site_of_link": source_sql("postgresql", "split_part(o.value ->> 0, '/', 3)"),
        "offset": "(a.provenance #>> '{published_at,offset}')",
        "local_time": f"to_char({_LOCAL}, 'YYYY-MM-DD HH24:MI')",
        "local_hour": f"CAST(extract(hour FROM {_LOCAL}) AS integer)",
        "chosen": "e.value ->> 'from'",
        "sure": "CAST(e.value ->> 'sure' AS double precision)",
        "alternatives": "(SELECT string_agg((o.value ->> 0) || ': ' || (o.value ->> 1), E'\\n' ORDER BY o.place)"
        " FROM jsonb_array_elements(e.value -> 'others') WITH ORDINALITY AS o(value, place))",
        "each_other": "CROSS JOIN LATERAL jsonb_array_elements(e.value -> 'others') WITH ORDINALITY AS o(value, place)",
        "place_of_alternative": "CAST(o.place AS integer)",
        "other_source": "o.value ->> 0",
        "other_value": "o.value ->> 1",
        # Only transactions below every one that still runs: later ones may yet commit before those.
        "settled": "\nWHERE c.cursor <"
        " (SELECT lpad((pg_snapshot_xmin(pg_current_snapshot())::text::bigint + k.shift)::text, 14, '0')"
        " FROM change_clock AS k)",
        "week": f"\nLEFT JOIN LATERAL (SELECT {', '.join(f'{sum_} AS {name}' for name, sum_ in _OF_WEEK.items())}"
        " FROM poll AS l WHERE l.feed_id = f.id AND l.polled_at > f.last_polled_at - interval '7 days') AS w ON true",
        **{f"{name}_of_week": f"w.{name}" for name in _OF_WEEK},
        "week_of_g": "g.last_polled_at - interval '7 days'",
        "delay": "CAST(extract(epoch FROM a.first_seen_at - e.published_at) AS double precision)",
        "home_of_p": "coalesce(p.alias_of, p.id)",
        **_of_day("postgresql"),
    },
    "sqlite": {
        # json_each gives the elements in their order, and group_concat takes them as they come.
        **{
            name: f"(SELECT group_concat(n.value, {_SEPARATORS[separator][1]}) FROM json_each({column}) AS n)"
            for name, (column, separator) in _LISTS.items()
        },
        "each_field": "CROSS JOIN json_each(a.provenance) AS e",
        "each_removed": "CROSS JOIN json_each(a.removed) AS o",
        "removed_text": "json_extract(o.value, '$.text')",
        "removed_reason": "json_extract(o.value, '$.reason')",
        # The text as JSON, cut where an empty line stands. Backslashes are spelt out: none passes for a line end.
        "each_paragraph": "CROSS JOIN json_each("
        r"""'[' || replace(replace(json_quote(a.text), '\\', '\u005c'), '\n\n', '","') || ']') AS o""",
        "each_link": "CROSS JOIN json_each(a.links) AS o",
        "each_picture": "CROSS JOIN json_each(a.pictures) AS o",
        "site_of_link": source_sql("sqlite", f"substr({_BEHIND_SCHEME}, 1, instr({_BEHIND_SCHEME} || '/', '/') - 1)"),
        "offset": _OFFSET,
        "local_time": f"strftime('%Y-%m-%d %H:%M', a.published_at, {_OFFSET})",
        "local_hour": f"CAST(strftime('%H', a.published_at, {_OFFSET}) AS integer)",
        "chosen": "json_extract(e.value, '$.from')",
        "sure": "json_extract(e.value, '$.sure')",
        "alternatives": "(SELECT group_concat(json_extract(o.value, '$[0]') || ': ' || json_extract(o.value, '$[1]'),"
        " char(10)) FROM json_each(e.value, '$.others') AS o)",
        "each_other": "CROSS JOIN json_each(e.value, '$.others') AS o",
        "place_of_alternative": "o.key + 1",
        "other_source": _LINK,
        "other_value": "json_extract(o.value, '$[1]')",
        # One writer at a time: the order of numbers is that of commits.
        "settled": "",
        # Without LATERAL: each sum by itself, and only those that are asked for.
        "week": "",
        **{
            f"{name}_of_week": f"(SELECT {sum_} FROM poll AS l WHERE l.feed_id = f.id"
            " AND l.polled_at > strftime('%Y-%m-%d %H:%M:%f', f.last_polled_at, '-7 days'))"
            for name, sum_ in _OF_WEEK.items()
        },
        "week_of_g": "strftime('%Y-%m-%d %H:%M:%f', g.last_polled_at, '-7 days')",
        "delay": "((julianday(a.first_seen_at) - julianday(e.published_at)) * 86400.0)",
        # As the index has it, which would not be looked up by a number else.
        "home_of_p": "CAST(coalesce(p.alias_of, p.id) AS integer)",
        **_of_day("sqlite"),
    },
}
