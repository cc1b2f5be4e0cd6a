DELETE FROM stem_locks WHERE key IN (SELECT key FROM stem_locks WHERE until <= :now LIMIT :limit)
