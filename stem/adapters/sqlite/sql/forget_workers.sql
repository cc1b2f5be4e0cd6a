DELETE FROM stem_workers WHERE last_seen <= :since
