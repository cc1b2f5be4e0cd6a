WITH told AS (SELECT :queues::text[] AS queues, :tasks::text[] AS tasks)
SELECT {notify} FROM told
