SELECT min((
    SELECT min(due) FROM (
        WITH RECURSIVE level (priority) AS (
            SELECT max(priority) FROM stem_tasks
            WHERE queue = wanted.value AND due IS NOT NULL AND parked_for IS NULL AND aside IS NULL
            UNION ALL
            SELECT (
                SELECT max(priority) FROM stem_tasks
                WHERE queue = wanted.value AND due IS NOT NULL AND parked_for IS NULL AND aside IS NULL
                    AND priority < level.priority
            )
            FROM level WHERE level.priority IS NOT NULL
        )
        SELECT (
            SELECT min(t.due) FROM stem_tasks AS t
            WHERE t.queue = wanted.value AND t.priority = level.priority AND t.due IS NOT NULL AND t.due > :now
                AND t.parked_for IS NULL AND t.aside IS NULL
        ) AS due
        FROM level
        UNION ALL
        SELECT min(due) FROM stem_tasks
        WHERE queue = wanted.value AND parked_for IS NOT NULL AND aside IS NULL AND due IS NOT NULL
    )
))
FROM json_each(:queues) AS wanted
WHERE NOT EXISTS (SELECT 1 FROM stem_pauses AS p WHERE p.queue = wanted.value)
