SELECT u.holder
FROM stem_uniques AS u LEFT JOIN stem_tasks AS t ON t.id = u.holder
WHERE u.key = :key
    AND CASE WHEN u.until IS NULL THEN t.seq IS NOT NULL AND t.finished_at IS NULL ELSE u.until > :now END
