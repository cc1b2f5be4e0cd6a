SELECT json_group_array(json_array(t.id, t.lease_until IS NOT NULL, t.terminate_requested)) FROM (
    SELECT task FROM stem_links WHERE grp = :id AND NOT ended LIMIT :limit
) AS l CROSS JOIN stem_tasks AS t ON t.id = l.task
