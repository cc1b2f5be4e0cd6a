UPDATE stem_tasks SET parked_for = '[]'
WHERE id IN (SELECT value FROM json_each(:ids)) AND refused IS NOT NULL AND due IS NOT NULL
    AND parked_for IS NULL
