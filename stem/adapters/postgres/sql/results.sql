WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT
    t.id, t.state, t.error, t.ignore_result, coalesce(t.result_until <= c.now, false) AS expired,
    CASE WHEN t.result_until > c.now THEN t.result END AS result
FROM {schema}.tasks AS t CROSS JOIN clock AS c
WHERE t.id = ANY (:ids::text[])
