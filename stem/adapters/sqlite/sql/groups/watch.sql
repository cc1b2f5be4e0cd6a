UPDATE stem_tasks SET watched = watched | :how WHERE id = :task
