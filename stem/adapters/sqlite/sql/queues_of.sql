SELECT json_group_array(DISTINCT t.queue)
FROM json_each(:ids) CROSS JOIN stem_tasks AS t ON t.id = value
