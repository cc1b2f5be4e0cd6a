UPDATE stem_groups
SET
    state = :state, joined = :joined, succeeded = :succeeded, closed_at = :closed_at, trailing = :closed_at IS NOT NULL,
    keep_until = :closed_at + max(2 * result_ttl, :least)
WHERE id = :id
