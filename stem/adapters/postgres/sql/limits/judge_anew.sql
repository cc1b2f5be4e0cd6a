WITH clock AS MATERIALIZED (SELECT {now} AS now),
met AS MATERIALIZED (
    SELECT g.id FROM unnest(:names::text[]) AS n (name) CROSS JOIN LATERAL (
        SELECT g.id FROM {schema}.gates AS g WHERE g.name = n.name OFFSET 0
    ) AS g
),
{stirred}
