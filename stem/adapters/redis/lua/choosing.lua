-- Which messages a lease call is given: queue by queue what may be leased, in its order, and by turns among the queues.

local request = cjson.decode(ARGV[4])
local MOST_PROMOTED = 500
local next_due

local paused = {}

-- What most namespaces have none of is asked for with one command.
local has_rare = call('EXISTS', PAUSES, LATER, REFUSED, WORK) > 0
local has_limits = has_rare and call('ZSCORE', REFUSED, DECLARED)
local opened = {} -- queues, each with an allowance that is to be looked at: see limits/

local function is_there(key)
  return has_rare and call('EXISTS', key) == 1
end

local function soonest(time)
  next_due = math.min(next_due or LATEST, time)
end

local function find_paused()
  if is_there(PAUSES) then
    for _, queue in ipairs(request.queues) do
      paused[queue[1]] = call('HEXISTS', PAUSES, queue[1]) == 1
    end
  end
end

-- What has become due, or is no longer refused by somebody, moves to where it can be seen.
local function promote(queue, prefix)
  local till = '(' .. prefix .. struct.pack('>I8', now + 1)
  local found = call('ZRANGEBYLEX', LATER, '[' .. prefix, till, 'LIMIT', 0, MOST_PROMOTED)
  local at = #prefix
  for _, member in ipairs(found) do
    local id, kind = member:sub(at + 19), member:byte(at + 9)
    if kind == 2 then
      opened[#opened + 1] = { queue, member:sub(at + 10) }
    elseif kind == 0 then
      rank(LATER, member, false)
      rank(READY, prefix .. member:sub(at + 10, at + 10) .. member:sub(at + 1, at + 8) .. member:sub(at + 11), 0)
    else
      rank(LATER, member, false)
      local row = find(id)
      if row then
        leave(id, row)
        wait(id, row)
      end
    end
  end
  if #found == MOST_PROMOTED then
    soonest(0)
  end
end

-- Promoting is written first, so that the messages are found where they belong.
local function settle_lines()
  if not is_there(LATER) then
    return
  end
  for _, queue in ipairs(request.queues) do
    if not paused[queue[1]] then
      promote(queue[1], named(queue[1]))
    end
  end
  if #opened > 0 then
    know_ties()
    reopen_due()
  end
  flush()
end

local function look_ahead(prefix)
  local found = call('ZRANGEBYLEX', LATER, '[' .. prefix, '(' .. prefix .. '\255', 'LIMIT', 0, 1)[1]
  if found then
    soonest(math.max(0, struct.unpack('>I8', found, #prefix + 1) - now))
  end
end

local function refuses(crowd)
  for _, name in ipairs(cjson.decode(crowd)) do
    if name == request.fingerprint then
      return true
    end
  end
  return false
end

local function place_of(member, at)
  return { member, at, struct.unpack('>BI8I8', member, at) }
end

local function before(a, b)
  for i = 3, 5 do
    if a[i] ~= b[i] then
      return a[i] < b[i]
    end
  end
  return false
end

-- The parked messages of a queue that this registry has not refused: crowd by crowd, of which there are few.
local function add_parked(prefix, list)
  local from = '[' .. prefix
  while true do
    local member = call('ZRANGEBYLEX', REFUSED, from, '(' .. prefix .. '\255', 'LIMIT', 0, 1)[1]
    if not member then
      return
    end
    local size = struct.unpack('>I4', member, #prefix + 1)
    local head = member:sub(1, #prefix + 4 + size)
    if not refuses(head:sub(#prefix + 5)) then
      local found = call('ZRANGEBYLEX', REFUSED, '[' .. head, '(' .. head .. '\255\255', 'LIMIT', 0, request.limit)
      for _, other in ipairs(found) do
        list[#list + 1] = place_of(other, #head + 1)
      end
    end
    from = '[' .. head .. '\255\255'
  end
end

-- The ids of a queue's messages in the order in which they are given out; `standing` says where the ready ones stand.
local standing = {}

local function line_of(queue, parked)
  if paused[queue] then
    return {}
  end
  local prefix = named(queue)
  local at = #prefix + 1
  local found = call('ZRANGEBYLEX', READY, '[' .. prefix, '(' .. prefix .. '\255\255', 'LIMIT', 0, request.limit)
  local others = {}
  if parked then
    add_parked(prefix, others)
  end
  local ids = {}
  if #others == 0 then
    for i, member in ipairs(found) do
      local id = member:sub(at + 17)
      ids[i], standing[id] = id, member
    end
    return ids
  end
  for _, member in ipairs(found) do
    others[#others + 1] = place_of(member, at)
    standing[member:sub(at + 17)] = member
  end
  table.sort(others, before)
  for i = 1, math.min(#others, request.limit) do -- behind these, some may stand whom nobody has read
    local member, place = unpack(others[i])
    ids[i] = member:sub(place + 17)
  end
  return ids
end

-- Smooth weighted round-robin over the queues that have work; of equals the first by name, which is how they come.
local function next_line(lines)
  local chosen, sum = nil, 0
  for _, line in ipairs(lines) do
    if line.at <= #line.list then
      line.owed = line.owed + line.weight
      sum = sum + line.weight
      if not chosen or line.owed > chosen.owed then
        chosen = line
      end
    end
  end
  if chosen then
    chosen.owed = chosen.owed - sum
  end
  return chosen
end

local function lines_of_queues()
  local lines, parked = {}, is_there(REFUSED)
  for i, queue in ipairs(request.queues) do
    lines[i] = { name = queue[1], weight = queue[2], owed = queue[3], at = 1, list = line_of(queue[1], parked) }
  end
  return lines
end

local function working(lines) -- how many have work, and the last of them
  local count, last = 0, nil
  for _, line in ipairs(lines) do
    if line.at <= #line.list then
      count, last = count + 1, line
    end
  end
  return count, last
end

local function choose() -- ids, and the credits of the queues after them
  local lines, chosen, owed = lines_of_queues(), {}, {}
  while #chosen < request.limit do
    local count, line = working(lines)
    if count > 1 then
      line = next_line(lines)
    elseif not line then
      break
    end
    repeat
      chosen[#chosen + 1] = line.list[line.at]
      line.at = line.at + 1
    until count > 1 or line.at > #line.list or #chosen >= request.limit
  end
  for i, line in ipairs(lines) do
    owed[i] = line.owed
  end
  return chosen, owed
end
