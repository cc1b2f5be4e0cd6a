DELETE FROM stem_revocations
WHERE task IN (SELECT task FROM stem_revocations WHERE expires_at <= :now LIMIT :limit)
