DELETE FROM stem_pauses WHERE queue = :queue
