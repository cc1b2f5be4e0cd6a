-- Hold a lock longer. ARGV: time, key, owner, for how long. Answers owner, fence and end; nothing for one that is not
-- this owner's.

local key, owner, ttl = unpack(ARGV, 2)
local lock = held(key)
if not lock or lock.owner ~= owner then
  return {}
end
keep(key, lock, ttl)
return told(lock)
