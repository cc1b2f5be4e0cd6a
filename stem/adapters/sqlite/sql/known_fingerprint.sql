SELECT count(*) FROM stem_workers WHERE fingerprint = :fingerprint AND :now - last_seen <= :missed * every
