-- Give a lock up. ARGV: time, key, owner. Answers 1 where it was this owner's.

local key, owner = unpack(ARGV, 2)
local lock = held(key)
if not lock or lock.owner ~= owner then
  return 0
end
put(LOCKS, key, false)
rank(OVER, 'l' .. key, false)
flush()
return 1
