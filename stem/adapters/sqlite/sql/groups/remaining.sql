SELECT json_group_array(json_array(t.seq, t.unique_key, t.id)) FROM (
    SELECT task FROM stem_links WHERE grp = :id LIMIT :limit
) AS l CROSS JOIN stem_tasks AS t ON t.id = l.task
