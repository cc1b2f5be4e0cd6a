WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT
    t.id, t.state, t.error, t.ignore_result AND t.result IS NULL AS ignored, coalesce(t.result_until <= c.now, false) AS expired,
    CASE WHEN t.result_until > c.now OR :even_expired::boolean THEN t.result END AS result
FROM {schema}.tasks AS t CROSS JOIN clock AS c
WHERE t.id = ANY (:ids::text[])
