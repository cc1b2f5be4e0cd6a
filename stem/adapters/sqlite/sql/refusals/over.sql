SELECT json_group_array(json((
    SELECT json_group_array(json_array(seq, refused, since)) FROM (
        SELECT seq, refused, coalesce(parked_at, due) AS since FROM stem_tasks
        WHERE queue = wanted.value AND parked_for IS NOT NULL AND aside IS NULL AND due <= :now
        ORDER BY due
        LIMIT :limit
    )
)))
FROM json_each(:queues) AS wanted
WHERE NOT EXISTS (SELECT 1 FROM stem_pauses AS p WHERE p.queue = wanted.value)
