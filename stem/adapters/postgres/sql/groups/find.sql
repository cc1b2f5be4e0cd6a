SELECT
    g.id, g.size, g.policy, g.state, g.root, g.filled, g.joined, g.succeeded AS won, g.opened_at, g.closed_at
FROM {schema}.groups AS g WHERE g.id = :group_id
