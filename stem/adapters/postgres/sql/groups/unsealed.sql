SELECT t.id FROM {schema}.groups AS t
WHERE t.keep_until <= {now} AND t.state = :open
ORDER BY t.keep_until
LIMIT :most::bigint
FOR UPDATE SKIP LOCKED
