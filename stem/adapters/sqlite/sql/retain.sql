SELECT json_group_array(json_array(seq, unique_key, id)) FROM (
    SELECT seq, unique_key, id FROM stem_tasks WHERE keep_until IS NOT NULL AND keep_until <= :now LIMIT :limit
)
