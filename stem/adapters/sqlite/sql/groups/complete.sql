UPDATE stem_groups SET trailing = 0 WHERE id = :id
