WITH gone AS (
    DELETE FROM {schema}.limits AS l
    WHERE l.name = ANY (:gone::text[]) AND NOT EXISTS (SELECT FROM {schema}.gates AS g WHERE g.name = l.name)
),
emptied AS (
    UPDATE {schema}.limits AS l SET interval = NULL, tolerance = NULL, concurrency = NULL
    WHERE l.name = ANY (:gone::text[]) AND EXISTS (SELECT FROM {schema}.gates AS g WHERE g.name = l.name)
)
INSERT INTO {schema}.limits AS l (name, shared, interval, tolerance, concurrency)
SELECT g.name, g.shared, g.interval, g.tolerance, g.concurrency
FROM unnest(:name::text[], :shared::text[], :interval::bigint[], :tolerance::bigint[], :concurrency::bigint[])
AS g (name, shared, interval, tolerance, concurrency)
ON CONFLICT (name) DO UPDATE SET
    shared = excluded.shared, interval = excluded.interval, tolerance = excluded.tolerance,
    concurrency = excluded.concurrency
