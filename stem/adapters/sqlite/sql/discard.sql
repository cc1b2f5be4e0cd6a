UPDATE stem_tasks
SET bury_reason = NULL, keep_until = :now + max(:kept, :times * result_ttl)
WHERE id = :task AND bury_reason IS NOT NULL AND generation <= coalesce(:generation, generation)
