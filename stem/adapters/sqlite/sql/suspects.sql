SELECT json_group_array(json_array(id, fence, nonce, lease_until, lease, lease_until <= :now))
FROM stem_tasks
WHERE lease_until IS NOT NULL
    AND (lease_until - lease + lease / 3 + :grace <= :now OR lease_until > :now + lease)
