SELECT json_group_array(json_array(queue, state, tally, oldest)) FROM (
    SELECT
        queue, state, count(*) AS tally,
        min(CASE WHEN coalesce(parked_at, due) <= :now THEN coalesce(parked_at, due) END) AS oldest
    FROM stem_tasks GROUP BY queue, state
)
