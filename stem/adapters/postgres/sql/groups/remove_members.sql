WITH gone AS (
    DELETE FROM {schema}.tasks AS t
    USING (
        SELECT t.seq FROM {schema}.tasks AS t WHERE t.group_id = ANY (:groups::text[]) LIMIT :most::bigint
    ) AS g
    WHERE t.seq = ANY (ARRAY[g.seq])
    RETURNING t.id, t.queue, t.name, t.state, t.unique_key
),
{counted gone},
freed AS (
    DELETE FROM {schema}.uniques AS u USING gone AS d
    WHERE u.key = ANY (ARRAY[d.unique_key]) AND u.holder IS NOT DISTINCT FROM d.id AND u.until IS NULL
)
SELECT d.id FROM gone AS d ORDER BY d.id
