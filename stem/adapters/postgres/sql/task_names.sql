SELECT t.name, count(*) AS tally FROM {schema}.tasks AS t GROUP BY t.name ORDER BY t.name
