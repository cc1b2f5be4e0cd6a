INSERT INTO stem_outcomes (
    task, generation, state, result, error, bury_reason, result_ttl, recorded_by, result_until, keep_until
)
VALUES (
    :task, :generation, :state, :result, :error, :bury_reason, :result_ttl, :recorded_by, :result_until, :keep_until
)
ON CONFLICT (task, generation) DO NOTHING
