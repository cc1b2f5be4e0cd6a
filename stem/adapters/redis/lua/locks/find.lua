-- Who holds a lock. ARGV: time, key. Answers owner, fence and end, or nothing.

local lock = held(ARGV[2])
return lock and told(lock) or {}
