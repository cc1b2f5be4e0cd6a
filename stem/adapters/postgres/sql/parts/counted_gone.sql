counted AS (
    INSERT INTO {schema}.tallies (queue, name, state, delta)
    SELECT queue, name, state, - count(*) FROM gone GROUP BY GROUPING SETS ((queue, state), (name))
)
