-- Hold a lock. ARGV: time, key, owner, for how long. Answers owner, fence and end; nothing while another owner holds it.
-- One counter gives the fences of all locks, so that a lock that was given up leaves nothing behind.

local key, owner, ttl = unpack(ARGV, 2)
local lock = held(key)
if lock and lock.owner ~= owner then
  return {}
end
if not lock then
  lock = { owner = owner, fence = tonumber(call('HGET', NUMBERS, 'lock_fence') or 0) + 1 }
  put(NUMBERS, 'lock_fence', lock.fence)
end
keep(key, lock, ttl)
return told(lock)
