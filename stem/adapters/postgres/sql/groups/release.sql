WITH clock AS MATERIALIZED (SELECT {now} AS now),
given AS MATERIALIZED (
    SELECT t.seq FROM unnest(:ids::text[]) AS g (id) CROSS JOIN LATERAL (
        SELECT t.seq FROM {schema}.tasks AS t WHERE t.id = g.id AND t.held LIMIT 1
    ) AS t
),
{release}
