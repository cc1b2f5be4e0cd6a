DELETE FROM stem_outcomes
WHERE (task, generation) IN (SELECT task, generation FROM stem_outcomes WHERE keep_until <= :now LIMIT :limit)
