SELECT json_group_array(json_array(seq, unique_key, id)) FROM (
    SELECT t.seq, t.unique_key, t.id FROM stem_tasks AS t
    WHERE t.keep_until IS NOT NULL AND t.keep_until <= :now AND NOT {pinned}
    LIMIT :limit
)
