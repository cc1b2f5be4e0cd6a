UPDATE {schema}.allowances AS a SET used = greatest(0, a.used - g.tally)
FROM (
    SELECT 'concurrency'::text AS kind, t.holds[1] AS shared, t.holds[2] AS key, count(*) AS tally
    FROM {schema}.tasks AS t
    WHERE t.id = ANY (:ids::text[]) AND t.holds IS NOT NULL
    GROUP BY t.holds[1], t.holds[2] ORDER BY 2, 3
) AS g
WHERE a.kind = ANY (ARRAY[g.kind]) AND a.shared = ANY (ARRAY[g.shared]) AND a.key = ANY (ARRAY[g.key])
RETURNING a.shared, a.key
