SELECT json_group_array(value) FROM json_each(:queues)
WHERE EXISTS (SELECT 1 FROM stem_tasks WHERE queue = value AND parked_for IS NOT NULL AND aside IS NULL)
