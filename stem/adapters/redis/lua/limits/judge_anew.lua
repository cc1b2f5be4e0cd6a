-- What stands aside for a task is looked at again, a portion at a time. ARGV: time, channel, origin, task, where to go
-- on ('' at the beginning). Answers where to go on ('' at the end), and the queues to tell of.

local MOST_LOOKS = 200
local prefix = named(ARGV[4])
local from = open_all(prefix, ARGV[5] == '' and '[g' .. prefix or ARGV[5], MOST_LOOKS)
flush()
return { from or '', tell(ARGV[2], ARGV[3]) }
