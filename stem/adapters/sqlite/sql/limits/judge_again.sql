UPDATE stem_gates SET opens_at = :now WHERE shared = :shared RETURNING queue
