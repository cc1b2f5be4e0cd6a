SELECT {schedule} FROM {schema}.schedules AS s
WHERE s.enabled AND s.next_fire IS NOT NULL AND s.next_fire <= {now}
ORDER BY s.next_fire, s.id
LIMIT :most::bigint
