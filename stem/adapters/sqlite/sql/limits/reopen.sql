UPDATE stem_gates SET opens_at = :now
WHERE opens_at IS NULL AND (shared, concurrency_key) IN (
    SELECT shared, key FROM stem_holdings WHERE id IN (SELECT value FROM json_each(:holdings))
)
RETURNING queue
