WITH emptied AS (
    DELETE FROM {schema}.limits AS l
    WHERE
        l.interval IS NULL AND l.concurrency IS NULL
        AND NOT EXISTS (SELECT FROM {schema}.gates AS g WHERE g.name = l.name)
)
DELETE FROM {schema}.allowances AS a
WHERE a.ctid = ANY (ARRAY(
    SELECT o.ctid FROM {schema}.allowances AS o
    WHERE o.used <= CASE o.kind WHEN 'rate' THEN {now} ELSE 0 END
    LIMIT :most::bigint
    FOR UPDATE SKIP LOCKED
))
