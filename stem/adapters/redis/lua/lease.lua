-- Lease what is due. ARGV: time, the request as JSON.
-- Answers: the time, how long until the next message is due (-1: none waits), the credits of the queues, deliveries.

local request = cjson.decode(ARGV[2])
local MOST_PROMOTED = 500
local next_due

local function soonest(time)
  next_due = math.min(next_due or LATEST, time)
end

-- What has become due, or is no longer refused by somebody, moves to where it can be seen.
local function promote(queue, prefix)
  local till = '(' .. prefix .. struct.pack('>I8', now + 1)
  local found = call('ZRANGEBYLEX', LATER, '[' .. prefix, till, 'LIMIT', 0, MOST_PROMOTED)
  local at = #prefix
  for _, member in ipairs(found) do
    rank(LATER, member, false)
    local id = member:sub(at + 19)
    if member:byte(at + 9) == 0 then
      rank(READY, prefix .. member:sub(at + 10, at + 10) .. member:sub(at + 1, at + 8) .. member:sub(at + 11), 0)
    else
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
  if call('EXISTS', LATER) == 0 then
    return
  end
  for _, queue in ipairs(request.queues) do
    promote(queue[1], named(queue[1]))
  end
  stage_rows()
  write_hashes(false)
  write_sets(false)
  write_sets(true)
  write_hashes(true)
  hashes, sets, changed, extras_changed = {}, {}, {}, {}
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
  for i, place in ipairs(others) do
    ids[i] = place[1]:sub(place[2] + 17)
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

local function choose()
  local lines, working = {}, 0
  local parked = call('EXISTS', REFUSED) == 1
  for _, queue in ipairs(request.queues) do
    local line = { name = queue[1], weight = queue[2], owed = queue[3], at = 1, list = line_of(queue[1], parked) }
    lines[#lines + 1] = line
  end
  local chosen = {}
  while #chosen < request.limit do
    local ready, last = 0, nil
    for _, line in ipairs(lines) do
      if line.at <= #line.list then
        ready, last = ready + 1, line
      end
    end
    if ready > 1 then
      last = next_line(lines)
    end
    if not last then
      break
    end
    repeat
      chosen[#chosen + 1] = last.list[last.at]
      last.at = last.at + 1
    until ready > 1 or last.at > #last.list or #chosen >= request.limit
  end
  local owed = {}
  for i, line in ipairs(lines) do
    owed[i] = line.owed
  end
  return chosen, owed
end

local function step_out(id, row)
  local member = standing[id]
  if member then
    rank(READY, member, false)
  else
    leave(id, row)
  end
  note(id, row, 'reason', nil)
end

local function grant(chosen)
  local ids, size = {}, 0
  fetch(chosen)
  for _, id in ipairs(chosen) do
    local row = rows[id]
    if row and LEASABLE[row.state] then
      size = size + row.size
      if #ids > 0 and size > MOST_BYTES then
        soonest(0)
        break
      end
      ids[#ids + 1] = id
      step_out(id, row)
      move(row, RUNNING)
      hold(id, row, { id = request.id, worker = request.worker, length = request.leases[row.name] or request.lease })
      row.started = #ids <= request.started and 1 or 0
      row.started_at = row.started == 1 and now or row.started_at
    end
  end
  return ids
end

local held = given_before(request.id)
if #held > 0 then
  return deliver({ now, -1, '' }, held)
end
settle_lines()
local chosen, owed = choose()
local ids = grant(chosen)
remember(request.id, ids)
flush()
if #ids < request.wanted then
  if #ids == request.limit then
    soonest(0)
  end
  for _, queue in ipairs(request.queues) do
    look_ahead(named(queue[1]))
  end
else
  next_due = nil
end
return deliver({ now, next_due or -1, cjson.encode(owed) }, ids)
