UPDATE stem_groups SET state = :state, sealed_at = :now WHERE id = :id
