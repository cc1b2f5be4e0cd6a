UPDATE stem_tasks SET aside = NULL
WHERE seq IN (
    SELECT seq FROM stem_tasks WHERE aside = :gate ORDER BY priority DESC, aside_due, seq LIMIT :limit
)
