INSERT INTO {schema}.pauses AS p (queue, since, reason) VALUES (:queue, {now}, :reason)
ON CONFLICT (queue) DO UPDATE SET reason = excluded.reason
