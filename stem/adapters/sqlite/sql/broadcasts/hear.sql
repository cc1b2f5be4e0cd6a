SELECT position, id, channel, body, said_at
FROM stem_broadcasts
WHERE position > :after AND channel IN (SELECT value FROM json_each(:channels)) AND keep_until > :now
ORDER BY position
LIMIT :limit
