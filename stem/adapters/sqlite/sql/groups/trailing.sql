SELECT json_group_array(id) FROM (SELECT id FROM stem_groups WHERE trailing LIMIT :limit)
