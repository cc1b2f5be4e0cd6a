DELETE FROM {schema}.uniques AS u WHERE u.key = ANY (:keys::text[]) AND u.until <= {now}
