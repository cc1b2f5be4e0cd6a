-- Schedules whose time has come, the oldest first. ARGV: time, how many. Answers two values for each: id and entry.

return tell_schedules(call('ZRANGEBYSCORE', AGENDA, '-inf', now, 'LIMIT', 0, ARGV[2]))
