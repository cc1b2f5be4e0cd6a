SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'stem_broadcasts'), 0)
