INSERT INTO stem_outcomes (
    task, generation, state, result, error, bury_reason, result_ttl, recorded_by, follow_ups, result_until, keep_until
)
VALUES (
    :task, :generation, :state, :result, :error, :bury_reason, :result_ttl, :recorded_by, :follow_ups, :result_until, :keep_until
)
ON CONFLICT (task, generation) DO NOTHING
