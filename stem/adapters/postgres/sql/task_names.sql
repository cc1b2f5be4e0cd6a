SELECT t.name, sum(t.delta)::bigint AS tally, count(*) AS slips
FROM {schema}.tallies AS t WHERE t.name IS NOT NULL GROUP BY t.name ORDER BY t.name
