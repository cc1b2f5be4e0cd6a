-- Define a schedule. ARGV: time, id, spec, next time ('' for never), 1 where it is enabled, the version expected ('' any).
-- Answers the entry, or nothing where it has another version.

local id, spec, next, enabled, expected = unpack(ARGV, 2)
local before = schedule_of(id)
local version = before and before.version or 0
if expected ~= '' and tonumber(expected) ~= version then
  return false
end
local entry = { next = tonumber(next), last = before and before.last, version = version + 1, spec = spec }
entry.enabled = enabled == '1'
put_schedule(id, entry)
flush()
return packed(entry)
