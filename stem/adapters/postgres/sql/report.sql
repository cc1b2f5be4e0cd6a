WITH given AS (
    SELECT * FROM unnest(
        :task::text[], :nonce::text[], :counter::bigint[], :number::bigint[], :sequence::bigint[], :progress::text[]
    ) AS g (task, nonce, counter, number, sequence, progress)
),
done AS (
    UPDATE {schema}.tasks AS t
    SET
        progress_sequence = greatest(t.progress_sequence, g.sequence),
        progress = CASE WHEN t.progress_sequence >= g.sequence THEN t.progress ELSE g.progress END
    FROM given AS g
    WHERE {fenced}
    RETURNING t.id
),
told AS (SELECT NULL::text[] AS queues, array_agg(id) AS tasks FROM done)
SELECT told.tasks AS done, {notify} FROM told
