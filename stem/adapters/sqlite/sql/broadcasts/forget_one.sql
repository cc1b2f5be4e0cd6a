DELETE FROM stem_broadcasts WHERE id = :id AND keep_until <= :now
