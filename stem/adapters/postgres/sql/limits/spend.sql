INSERT INTO {schema}.allowances AS a (kind, shared, key, used)
SELECT g.kind, g.shared, g.key, 0 FROM unnest(:kind::text[], :shared::text[], :key::text[]) AS g (kind, shared, key)
ON CONFLICT (kind, shared, key) DO UPDATE SET used = a.used
RETURNING a.kind, a.shared, a.key, a.used, {now} AS now
