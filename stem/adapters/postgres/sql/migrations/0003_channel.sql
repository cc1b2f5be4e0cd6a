CREATE TABLE {schema}.channel (name text NOT NULL);

INSERT INTO {schema}.channel (name) SELECT 'stem:' || gen_random_uuid();
