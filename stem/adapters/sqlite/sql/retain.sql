SELECT json_group_array(json_array(seq, unique_key, id)) FROM (
    SELECT t.seq, t.unique_key, t.id FROM stem_tasks AS t
    WHERE t.keep_until IS NOT NULL AND t.keep_until <= :now AND NOT (t.watched AND (
        EXISTS (
            SELECT 1 FROM stem_links AS l CROSS JOIN stem_tasks AS d ON d.id = l.task
            WHERE l.after_id = t.id AND l.after_kind = 'task' AND d.finished_at IS NULL
        )
        OR EXISTS (
            SELECT 1 FROM stem_links AS m CROSS JOIN stem_groups AS g ON g.id = m.grp
            WHERE m.task = t.id AND m.place IS NOT NULL AND (g.closed_at IS NULL OR EXISTS (
                SELECT 1 FROM stem_links AS l CROSS JOIN stem_tasks AS d ON d.id = l.task
                WHERE l.after_id = g.id AND l.after_kind = 'group' AND d.finished_at IS NULL
            ))
        )
    ))
    LIMIT :limit
)
