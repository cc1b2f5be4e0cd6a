UPDATE stem_schedules SET next_fire = :next, last_fire = :expected WHERE id = :schedule
