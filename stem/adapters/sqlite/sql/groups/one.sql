SELECT size, policy, state, root, filled, joined, succeeded, opened_at, closed_at FROM stem_groups WHERE id = :id
