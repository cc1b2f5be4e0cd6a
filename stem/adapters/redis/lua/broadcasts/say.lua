-- Say something to all who listen to a channel. ARGV: time, channel of the notices, origin, channel, id, for how long it
-- is kept, body. A message is kept as its position, its time, its channel and its body.

local channel, id, kept, body = unpack(ARGV, 4)
if call('HEXISTS', BROADCASTS, id) == 1 then
  return 0
end
local position = tonumber(call('HGET', NUMBERS, 'broadcasts') or 0) + 1
put(NUMBERS, 'broadcasts', position)
put(BROADCASTS, id, struct.pack('>I8I8', position, now) .. named(channel) .. body)
rank(ORDER, 'b' .. named(channel) .. struct.pack('>I8', position) .. id, 0)
rank(OVER, 'b' .. id, cut(now + tonumber(kept)))
flush()
told_channels[channel] = true
tell(ARGV[2], ARGV[3])
return 1
