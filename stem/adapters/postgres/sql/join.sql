WITH before AS MATERIALIZED (SELECT current_setting('lock_timeout') AS patience)
SELECT
    {home} AS home, current_database() AS database,
    coalesce(host(inet_server_addr()), 'a local socket') || ':' || current_setting('port') AS server,
    b.patience, set_config('lock_timeout', :patience, true)
FROM before AS b
