SELECT
    state, queue, fence, nonce, used_fence, used_nonce, used_number, refused, unique_key, unique_for,
    generation
FROM stem_tasks
WHERE id = :task
