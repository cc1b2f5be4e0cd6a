SELECT
    coalesce((SELECT ahead FROM stem_allowances WHERE shared = :shared AND key = :rate_key), 0),
    coalesce((SELECT holders FROM stem_holdings WHERE shared = :shared AND key = :concurrency_key), 0)
