INSERT INTO stem_locks (key, owner, fence, until)
VALUES (:key, :owner, (SELECT latest FROM stem_lock_fence) + 1, :until)
ON CONFLICT (key) DO UPDATE SET
    fence = CASE
        WHEN stem_locks.owner = excluded.owner AND stem_locks.until > :now THEN stem_locks.fence
        ELSE excluded.fence
    END,
    owner = excluded.owner, until = excluded.until
WHERE stem_locks.owner = excluded.owner OR stem_locks.until <= :now
