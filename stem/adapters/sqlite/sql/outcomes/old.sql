SELECT DISTINCT task FROM (SELECT task FROM stem_outcomes WHERE keep_until <= :now ORDER BY keep_until LIMIT :limit)
