"""``news_search(query)`` for clients of PostgreSQL: what matches a search, to join and count with.

It reads a part of the language of `pipeline.store.search.query`: words, phrases, OR, ``-word``, ``begin*`` and the
fields that stand in the index. The whole of it is understood by ``news sql``, which spells out searches itself.
"""

from typing import Final

from pipeline.text.search_form import PAIRED

_QUERY: Final = r"""CREATE OR REPLACE FUNCTION news_search_query(query text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  part text[]; words text[]; term text; star text; field text; labels text[];
  made text := ''; operator text := ' & '; is_wanted bool := false;
BEGIN
  FOR part IN SELECT regexp_matches(query,
    '(-?)(?:(title|author|site|language|lang):)?(?:"([^"]*)"|([^\s"]+))(\*?)', 'gi') LOOP
    field := lower(part[2]);
    CONTINUE WHEN part[4] = 'AND' AND field IS NULL;
    IF part[4] = 'OR' AND field IS NULL THEN operator := ' | '; CONTINUE; END IF;
    IF part[4] ~ '[()]|^(NOT|NEAR(/\d+)?)$|\*.' OR (field IS NULL AND part[4] ~* '^[a-z]+:[^0-9/]') THEN
      RAISE EXCEPTION 'news_search does not understand %', part[4]
        USING HINT = 'It reads words, "phrases", OR, -word, begin*, title:, author:, site: and language:.';
    END IF;
    term := coalesce(part[3], rtrim(part[4], '*'));
    star := CASE WHEN part[5] = '*' OR right(part[4], 1) = '*' THEN '*' ELSE '' END;
    IF field IN ('site', 'language', 'lang') THEN
      term := regexp_replace(lower(translate(term, '\', '')), '^www\.', '');
      term := quote_literal('=' || left(field, 1) || ':' || term);
    ELSE
      words := ARRAY(SELECT u.lexeme FROM unnest(to_tsvector('pg_catalog.simple', news_search_text(term))) AS u,
        unnest(u.positions) AS p ORDER BY p);
      IF cardinality(words) = 0 THEN
        RAISE EXCEPTION 'no letter and no digit in %', coalesce(part[3], part[4]);
      END IF;
      -- What a run of letters without spaces begins and ends with may stand within a longer one.
      IF words[cardinality(words)] ~ '^PAIRED$' THEN
        star := CASE WHEN cardinality(words) > 1 + (words[1] ~ '^PAIRED$')::int THEN '' ELSE '*' END;
        words := words[:greatest(1, cardinality(words) - 1)];
      END IF;
      IF cardinality(words) > 1 AND words[1] ~ '^PAIRED$' THEN words := words[2:]; END IF;
      -- A phrase that begins in the headline does not end in the text.
      labels := CASE WHEN field = 'title' THEN '{A}'::text[] WHEN cardinality(words) = 1 OR field = 'author'
        THEN '{""}' ELSE '{A,D}' END;
      SELECT string_agg('(' || t || ')', ' | ') INTO term FROM (
        SELECT string_agg(quote_literal(CASE WHEN field = 'author' THEN '=a:' ELSE '' END || w)
          || coalesce(':' || nullif(CASE WHEN n = cardinality(words) THEN star ELSE '' END || l, ''), ''),
          CASE WHEN field = 'author' THEN ' & ' ELSE ' <-> ' END ORDER BY n) AS t
        FROM unnest(words) WITH ORDINALITY AS x(w, n), unnest(labels) AS y(l) GROUP BY l) AS each_label;
    END IF;
    is_wanted := is_wanted OR part[1] = '';
    made := made || CASE WHEN made = '' THEN '' ELSE operator END || CASE part[1] WHEN '-' THEN '!' ELSE '' END
      || '(' || term || ')';
    operator := ' & ';
  END LOOP;
  IF NOT is_wanted THEN
    RAISE EXCEPTION 'a search that only says what not to find' USING HINT = 'Give a word to find, too.';
  END IF;
  RETURN made::tsquery;
END
$$""".replace("^PAIRED$", f"^{PAIRED}$")

POSTGRESQL_SEARCH: Final = (
    _QUERY,
    """CREATE OR REPLACE FUNCTION news_search(query text) RETURNS TABLE (article_id bigint, rank real)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT s.article_id, ts_rank_cd('{0.2,0.2,0.4,1.0}', s.words, news_search_query(query), 1)
  FROM article_search AS s WHERE s.words @@ news_search_query(query)
$$""",
)
"""The function, and the one that reads the query, made again with the views."""
