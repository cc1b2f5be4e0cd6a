SELECT {schedule} FROM {schema}.schedules AS s WHERE s.id = :schedule
