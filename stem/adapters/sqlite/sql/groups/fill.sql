UPDATE stem_groups SET filled = filled + 1 WHERE id = :id
