DELETE FROM stem_gates
WHERE id IN (SELECT value FROM json_each(:gates))
    AND NOT EXISTS (SELECT 1 FROM stem_tasks AS t WHERE t.aside = stem_gates.id)
