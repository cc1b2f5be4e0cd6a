SELECT queue, since, reason FROM stem_pauses ORDER BY queue
