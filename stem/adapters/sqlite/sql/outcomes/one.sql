SELECT task, generation, state, result, error, bury_reason, result_ttl, recorded_by, follow_ups, result_until
FROM stem_outcomes WHERE task = :task AND generation = :generation
