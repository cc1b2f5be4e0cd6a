UPDATE stem_links
SET waits_after = :waits_after, waits_seal = :waits_seal, delay = :delay, not_before = NULL
WHERE task = :task
