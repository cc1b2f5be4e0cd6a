DELETE FROM {schema}.workers AS w WHERE w.worker = :worker
