WITH clock AS MATERIALIZED (SELECT {now} AS now)
INSERT INTO {schema}.locks AS l (key, owner, fence, until)
SELECT :key, :owner, nextval('{schema}.lock_fences'), c.now + :ttl::bigint FROM clock AS c
ON CONFLICT (key) DO UPDATE SET
    owner = excluded.owner, until = excluded.until,
    fence = CASE
        WHEN l.owner = excluded.owner AND l.until > (SELECT now FROM clock) THEN l.fence
        ELSE greatest(l.fence + 1, excluded.fence)
    END
WHERE l.owner = excluded.owner OR l.until <= (SELECT now FROM clock)
RETURNING l.key, l.owner, l.fence, l.until
