SELECT
    json_group_array(json((
        SELECT json_group_array(json(found)) FROM (
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
            SELECT {message}, t.priority, t.due, {doomed}) AS found
            FROM level CROSS JOIN stem_tasks AS t
            WHERE t.queue = wanted.value AND t.priority = level.priority AND t.due IS NOT NULL AND t.due <= :now
                AND t.parked_for IS NULL AND t.aside IS NULL
            LIMIT :limit
        )
    ))),
    json_group_array(json((
        SELECT json_group_array(json(found)) FROM (
            WITH RECURSIVE crowd (refusers) AS (
                SELECT min(parked_for) FROM stem_tasks
                WHERE queue = wanted.value AND parked_for IS NOT NULL AND aside IS NULL
                UNION ALL
                SELECT (
                    SELECT min(parked_for) FROM stem_tasks
                    WHERE queue = wanted.value AND parked_for IS NOT NULL AND aside IS NULL
                        AND parked_for > crowd.refusers
                )
                FROM crowd WHERE crowd.refusers IS NOT NULL
            )
            SELECT (
                SELECT json_group_array(json(found)) FROM (
                    SELECT {message}, t.priority, t.parked_at, {doomed}) AS found
                    FROM stem_tasks AS t
                    WHERE t.queue = wanted.value AND t.parked_for IS NOT NULL AND t.parked_for = crowd.refusers
                        AND t.aside IS NULL
                    ORDER BY t.priority DESC, t.parked_at, t.seq
                    LIMIT :limit
                )
            ) AS found
            FROM crowd
            WHERE crowd.refusers IS NOT NULL AND crowd.refusers <> '[]' AND instr(crowd.refusers, :quoted) = 0
        )
    ))),
    (
        SELECT json_group_array({message}, {held})) FROM stem_tasks AS t
        WHERE t.nonce = :nonce AND t.lease_until IS NOT NULL
    ),
    max(EXISTS (
        SELECT 1 FROM stem_tasks
        WHERE queue = wanted.value AND parked_for IS NOT NULL AND aside IS NULL AND due <= :now
    )),
    (SELECT EXISTS (SELECT 1 FROM stem_limits) OR EXISTS (SELECT 1 FROM stem_gates))
FROM json_each(:queues) AS wanted
WHERE NOT EXISTS (SELECT 1 FROM stem_pauses AS p WHERE p.queue = wanted.value)
