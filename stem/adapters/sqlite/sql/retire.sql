DELETE FROM stem_workers WHERE worker = :worker
