-- Forget a schedule. ARGV: time, id, the version expected ('' any). Answers 1 where it was there and is gone.

local id, expected = ARGV[2], ARGV[3]
local entry = schedule_of(id)
if not entry or (expected ~= '' and tonumber(expected) ~= entry.version) then
  return 0
end
put(SCHEDULES, id, false)
rank(ORDER, 's' .. id, false)
rank(AGENDA, id, false)
flush()
return 1
