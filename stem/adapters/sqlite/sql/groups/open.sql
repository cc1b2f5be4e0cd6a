INSERT INTO stem_groups (id, size, policy, state, root, opened_at, result_ttl)
VALUES (:id, :size, :policy, :state, :root, :now, :result_ttl)
ON CONFLICT (id) DO NOTHING
