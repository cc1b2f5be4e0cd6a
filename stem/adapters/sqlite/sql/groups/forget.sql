DELETE FROM stem_groups
WHERE id IN (
    SELECT g.id FROM stem_groups AS g
    WHERE g.keep_until IS NOT NULL AND g.keep_until <= :now AND NOT g.trailing AND NOT EXISTS (
        SELECT 1 FROM stem_links AS l CROSS JOIN stem_tasks AS d ON d.id = l.task
        WHERE l.after_id = g.id AND l.after_kind = 'group' AND d.finished_at IS NULL
    )
    LIMIT :limit
)
