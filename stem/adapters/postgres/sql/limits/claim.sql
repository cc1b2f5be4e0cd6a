WITH clock AS MATERIALIZED (SELECT coalesce(:judged::bigint, {now}) AS now),
cold AS MATERIALIZED (
    SELECT EXISTS (
        SELECT FROM unnest(:asked::text[]) AS w (queue) CROSS JOIN LATERAL (
            SELECT FROM {schema}.line AS l
            WHERE l.queue = w.queue AND l.parked_for IS NOT NULL AND l.due <= (SELECT now FROM clock) LIMIT 1
        ) AS l
    ) AS frozen
),
limited AS (SELECT true AS declared, false AS met),
spent AS (
    UPDATE {schema}.allowances AS a SET used = g.used
    FROM unnest(:kind::text[], :shared::text[], :key::text[], :used::bigint[]) AS g (kind, shared, key, used)
    WHERE a.kind = ANY (ARRAY[g.kind]) AND a.shared = ANY (ARRAY[g.shared]) AND a.key = ANY (ARRAY[g.key])
),
chosen AS MATERIALIZED (
    SELECT
        g.at::tid AS at, g.seq, g.state, :given::bigint + g.place AS place, 0 AS tally,
        CASE WHEN g.holding IS NOT NULL THEN ARRAY[g.holding, g.holding_key] END AS holds
    FROM unnest(:at::text[], :seq::bigint[], :was::text[], :holding::text[], :holding_key::text[])
    WITH ORDINALITY AS g (at, seq, state, holding, holding_key, place)
),
{claimed among limits}
