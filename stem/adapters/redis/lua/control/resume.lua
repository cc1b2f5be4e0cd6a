-- End a pause. ARGV: time, channel, origin, queue. Answers 1 where the queue was paused.

local queue = ARGV[4]
if call('HEXISTS', PAUSES, queue) == 0 then
  return 0
end
put(PAUSES, queue, false)
flush()
told_queues[queue] = true
tell(ARGV[2], ARGV[3])
return 1
