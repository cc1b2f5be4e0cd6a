SELECT
    g.name, l.shared, l.interval, l.tolerance, l.concurrency, {now} AS now,
    coalesce((
        SELECT a.used FROM {schema}.allowances AS a
        WHERE a.kind = 'rate' AND a.shared = l.shared AND a.key = g.rate_key
    ), 0) AS ahead,
    coalesce((
        SELECT a.used FROM {schema}.allowances AS a
        WHERE a.kind = 'concurrency' AND a.shared = l.shared AND a.key = g.concurrency_key
    ), 0) AS holders
FROM unnest(:name::text[], :rate_key::text[], :concurrency_key::text[])
WITH ORDINALITY AS g (name, rate_key, concurrency_key, place)
LEFT JOIN {schema}.limits AS l ON l.name = g.name
ORDER BY g.place
