WITH clock AS MATERIALIZED (SELECT {now} AS now)
SELECT (
{next opening}
) - c.now AS next_opening
FROM clock AS c
