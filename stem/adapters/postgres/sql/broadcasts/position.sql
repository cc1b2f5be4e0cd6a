SELECT p.position FROM {schema}.positions AS p WHERE p.name = 'broadcast'
