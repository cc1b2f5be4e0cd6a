UPDATE {schema}.gates AS g SET opens_at = o.opens_at FROM unnest(:ids::text[], :times::bigint[]) AS o (id, opens_at)
WHERE g.id = ANY (ARRAY[o.id])
