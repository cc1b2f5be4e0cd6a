WITH clock AS MATERIALIZED (SELECT {now} AS now),
said AS (
    DELETE FROM {schema}.broadcasts AS b
    WHERE b.position IN (
        SELECT o.position FROM {schema}.broadcasts AS o
        WHERE o.keep_until <= (SELECT now FROM clock) ORDER BY o.keep_until LIMIT :most::bigint
    )
),
revoked AS (
    DELETE FROM {schema}.revocations AS r
    WHERE r.expires_at <= (SELECT now FROM clock) AND r.task_id IN (
        SELECT o.task_id FROM {schema}.revocations AS o
        WHERE o.expires_at <= (SELECT now FROM clock) ORDER BY o.expires_at LIMIT :most::bigint
    )
),
given_up AS (
    DELETE FROM {schema}.locks AS l
    WHERE l.key IN (
        SELECT o.key FROM {schema}.locks AS o
        WHERE o.until <= (SELECT now FROM clock) - :locks_kept::bigint LIMIT :most::bigint FOR UPDATE SKIP LOCKED
    )
)
DELETE FROM {schema}.uniques AS u
WHERE u.key IN (SELECT o.key FROM {schema}.uniques AS o WHERE o.until <= (SELECT now FROM clock) LIMIT :most::bigint)
