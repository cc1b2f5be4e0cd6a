DELETE FROM stem_groups WHERE id = :id
