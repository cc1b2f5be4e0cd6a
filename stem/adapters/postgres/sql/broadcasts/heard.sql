SELECT b.position, b.id, b.channel, b.body, b.at
FROM {schema}.broadcasts AS b
WHERE b.channel = ANY (:channels::text[]) AND b.position > :after::bigint AND b.keep_until > {now}
ORDER BY b.position
LIMIT :most::bigint
