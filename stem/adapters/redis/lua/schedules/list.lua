-- Schedules by id. ARGV: time, the id to go on behind, how many. Answers two values for each: id and entry.

local ids = {}
for i, member in ipairs(call('ZRANGEBYLEX', ORDER, '(s' .. ARGV[2], '(t', 'LIMIT', 0, ARGV[3])) do
  ids[i] = member:sub(2)
end
return tell_schedules(ids)
