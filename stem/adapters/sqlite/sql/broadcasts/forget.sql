DELETE FROM stem_broadcasts
WHERE position IN (SELECT position FROM stem_broadcasts WHERE keep_until <= :now LIMIT :limit)
