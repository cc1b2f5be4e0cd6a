DELETE FROM stem_allowances
WHERE (shared, key) IN (SELECT shared, key FROM stem_allowances WHERE ahead <= :now LIMIT :limit)
