SELECT json_group_array(id) FROM (
    SELECT id FROM stem_groups WHERE sealed_at IS NULL AND opened_at <= :before ORDER BY opened_at LIMIT :limit
)
