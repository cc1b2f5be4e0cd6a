INSERT INTO stem_uniques (key, holder, until)
VALUES (:key, :holder, :until)
ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, until = excluded.until
