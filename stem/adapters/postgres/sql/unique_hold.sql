INSERT INTO {schema}.uniques (key, holder, until)
SELECT g.key, g.holder, {now} + g.lifetime
FROM unnest(:keys::text[], :holders::text[], :lifetimes::bigint[]) AS g (key, holder, lifetime)
ON CONFLICT (key) DO NOTHING
RETURNING key
