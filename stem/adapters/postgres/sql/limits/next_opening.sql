WITH clock AS MATERIALIZED (SELECT {now} AS now),
limited AS (SELECT false AS met)
SELECT (
{next opening}
) - c.now AS next_opening
FROM clock AS c
