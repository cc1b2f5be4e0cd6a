INSERT INTO {schema}.groups (id, size, policy, state, root, result_ttl, opened_at, keep_until)
SELECT g.id, g.size, g.policy, :open, g.root, g.result_ttl, {now}, {now} + :kept_open::bigint
FROM unnest(:id::text[], :size::bigint[], :policy::text[], :root::text[], :result_ttl::bigint[])
AS g (id, size, policy, root, result_ttl)
ON CONFLICT (id) DO NOTHING
RETURNING id
