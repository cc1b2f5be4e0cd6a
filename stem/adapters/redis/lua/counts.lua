-- Every queue with its tallies. ARGV: time. Answers: the time, the tallies by state and queue, then two values for each
-- queue in which something is due: its name and the oldest time.

local counted = {}

local function read_counts() -- of what there is
  local all = call('HGETALL', COUNTS)
  for i = 1, #all, 2 do
    if all[i + 1] ~= '0' then
      counted[#counted + 1] = all[i]
      counted[#counted + 1] = all[i + 1]
    end
  end
end

read_counts()
local answer = { now, counted }
local done = {}

local function first_of(key, prefix, from, to)
  return call('ZRANGEBYLEX', key, '[' .. prefix .. from, '(' .. prefix .. to, 'LIMIT', 0, 1)[1]
end

-- The oldest time under a prefix: the first of each priority.
local function oldest_under(key, prefix)
  local oldest = LATEST
  local from = ''
  while true do
    local member = first_of(key, prefix, from, '\255\255')
    if not member then
      return oldest
    end
    local level, due = struct.unpack('>BI8', member, #prefix + 1)
    oldest = math.min(oldest, due)
    from = string.char(level) .. '\255'
  end
end

-- Of what stands in REFUSED, crowd by crowd, or gate by gate: of those, of which there may be many, the first thousand.
local function oldest_refused(prefix)
  local oldest = LATEST
  local from = ''
  for _ = 1, 1000 do
    local member = first_of(REFUSED, prefix, from, '\255')
    if not member then
      return oldest
    end
    local crowd = member:sub(#prefix + 1, #prefix + 4 + struct.unpack('>I4', member, #prefix + 1))
    oldest = math.min(oldest, oldest_under(REFUSED, prefix .. crowd))
    from = crowd .. '\255\255'
  end
  return oldest
end

local function oldest_of(queue)
  local prefix = named(queue)
  local oldest = math.min(oldest_under(READY, prefix), oldest_refused(prefix), oldest_refused(prefix .. '\255'))
  local later = first_of(LATER, prefix, '', struct.pack('>I8', now + 1))
  if later then
    oldest = math.min(oldest, (struct.unpack('>I8', later, #prefix + 1)))
  end
  return oldest < LATEST and oldest
end

for i = 1, #counted, 2 do
  local queue = counted[i]:match('^[^:]*:(.*)$')
  if not done[queue] then
    done[queue] = true
    local oldest = oldest_of(queue)
    if oldest then
      answer[#answer + 1] = queue
      answer[#answer + 1] = oldest
    end
  end
end
return answer
