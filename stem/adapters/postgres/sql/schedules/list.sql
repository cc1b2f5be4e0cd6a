SELECT {schedule} FROM {schema}.schedules AS s WHERE s.id > :after ORDER BY s.id LIMIT :most::bigint
