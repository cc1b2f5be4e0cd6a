-- Lease nothing from a queue. ARGV: time, queue, reason. The time since when is kept.

local queue, reason = unpack(ARGV, 2)
local found = call('HGET', PAUSES, queue)
local since = found and found:sub(1, 8) or struct.pack('>I8', now)
put(PAUSES, queue, since .. reason)
flush()
