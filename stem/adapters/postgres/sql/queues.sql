WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT t.queue, t.state, count(*) AS tally, min(t.due) FILTER (WHERE t.due <= c.now) AS oldest
FROM {schema}.tasks AS t CROSS JOIN clock AS c
GROUP BY t.queue, t.state
ORDER BY t.queue
