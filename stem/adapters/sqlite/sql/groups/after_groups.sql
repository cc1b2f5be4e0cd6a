SELECT json_group_array(json_array(l.task, l.after_kind, l.after_id, u.state))
FROM json_each(:ids) AS j
CROSS JOIN stem_links AS l ON l.after_id = j.value AND l.after_kind = 'group'
CROSS JOIN stem_groups AS u ON u.id = l.after_id
CROSS JOIN stem_tasks AS t ON t.id = l.task
WHERE l.waits_after AND t.finished_at IS NULL
