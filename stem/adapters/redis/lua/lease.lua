-- Lease what is due. ARGV: time, channel, origin, the request as JSON.
-- Answers: the time, how long until the next message is due (-1: none waits), the credits of several queues as JSON, as JSON
-- the queues and tasks to tell of where there are any, whether the request stands, deliveries.

local function step_out(id, row)
  local member = standing[id]
  if member then
    rank(READY, member, false)
  else
    leave(id, row)
  end
  note(id, row, 'reason', nil)
end

local function give(id, row, started)
  step_out(id, row)
  move(row, RUNNING)
  hold(id, row, { id = request.id, worker = request.worker, length = length_for(row.name) })
  if has_limits then
    use(id, row)
  end
  row.started = started
  row.started_at = started == 1 and now or row.started_at
end

local function size_of(id) -- nil where it cannot be leased
  if untouched[id] then
    return untouched[id]
  end
  local row = find(id)
  return row and LEASABLE[row.state] and row.size
end

local function fitting(chosen) -- those that one answer can hold
  local ids, size = {}, 0
  for _, id in ipairs(chosen) do
    local bytes = size_of(id)
    if bytes then
      size = size + bytes
      if #ids > 0 and size > MOST_BYTES then
        soonest(0)
        break
      end
      ids[#ids + 1] = id
    end
  end
  return ids
end

local function grant(chosen)
  local ids = fitting(chosen)
  local alone = #ids == 1 and 1 or 0
  for i, id in ipairs(ids) do
    local started = i <= request.started and 1 or 0
    if untouched[id] then
      begin_life(id, started, alone)
    else
      give(id, rows[id], started)
    end
  end
  return ids
end

local function has_members(ids)
  for _, id in ipairs(ids) do
    local row = not untouched[id] and find(id)
    if row and row.belongs > 0 then
      return true
    end
  end
end

local function candidates()
  if has_limits then
    know_ties()
    return choose_free()
  end
  return choose()
end

-- What may be leased; members whose group has its answer are cancelled first, as a whole change of their own.
local function choose_live(most)
  local chosen, owed = candidates()
  load(chosen)
  if not has_limits then
    find_untouched(chosen)
  end
  if not has_members(chosen) then
    return chosen, owed
  end
  know_ties()
  local live, met = without_closed(chosen, most)
  if met == 0 then
    return live, owed
  end
  has_rare = true -- their ends may let others go, at a later time
  flush()
  if met > most then
    soonest(0)
    return live, owed
  end
  return choose_live(most - met)
end

local function look_ahead_all(is_left)
  if is_left then
    soonest(0)
  end
  for _, queue in ipairs(has_rare and request.queues or {}) do
    if not paused[queue[1]] then
      look_ahead(named(queue[1]))
    end
  end
end

local function news()
  if not besides then -- nothing has ended
    return ''
  end
  local queues = tell(ARGV[2], ARGV[3])
  return (#queues > 0 or #besides > 0) and cjson.encode({ queues, besides }) or ''
end

local function end_standing() -- of the request before this one, under whose id this is made
  for _, queue in ipairs(request.stood) do
    local text = call('HGET', STANDING, queue)
    if text and text:find(named(request.id), 18, true) == 18 then
      put(STANDING, queue, false)
    end
  end
end

local function stand() -- for what comes next: see brief/handing.lua
  local names = {}
  for i, queue in ipairs(request.queues) do
    names[i] = queue[1]
  end
  local lengths = next(request.leases) and cjson.encode(request.leases) or ''
  local text = struct.pack('>i8i8B', now, request.lease, math.min(1, request.started)) .. named(request.stands)
  text = text .. named(request.worker) .. named(request.ear) .. named(table.concat(names, '\n')) .. named(lengths)
  for _, name in ipairs(names) do
    put(STANDING, name, text)
  end
end

local held = given_before(request.id)
if #held > 0 then
  return deliver({ now, -1, '', '', 0 }, held)
end
local function release_members() -- of sealed groups; whether some are left
  if not is_there(WORK) then
    return false
  end
  know_ties()
  go_on('r', MOST_VISITED)
  return has_work('r')
end

find_paused()
local is_left = release_members()
settle_lines()
local chosen, owed = choose_live(MOST_CANCELLED)
local ids = grant(chosen)
remember(request.id, ids)
end_standing()
local stands = request.stands ~= '' and #ids == 0 and not has_limits
if stands then
  stand()
end
if has_limits or #opened > 0 then
  settle_waits()
end
flush()
if has_limits or #opened > 0 then
  tidy()
end
if #ids < request.wanted then
  if #ids == request.limit then
    soonest(0)
  end
  look_ahead_all(is_left)
else
  next_due = nil
end
return deliver({ now, next_due or -1, #owed > 1 and cjson.encode(owed) or '', news(), stands and 1 or 0 }, ids)
