UPDATE stem_tasks SET aside = NULL WHERE id = :task
