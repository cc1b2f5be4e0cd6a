SELECT c.name FROM {schema}.channel AS c
