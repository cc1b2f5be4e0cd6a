INSERT INTO stem_broadcasts (id, channel, body, said_at, keep_until)
VALUES (:id, :channel, :body, :now, :keep_until)
ON CONFLICT (id) DO NOTHING
