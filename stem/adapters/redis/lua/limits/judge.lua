-- Which messages may start, by the allowances of their tasks, and how what may not start waits for them.

local UNLIMITED = 1000000000

local limits, used, wants = {}, {}, {}
local touched = {} -- what waits for an allowance, of which this call has changed something
local looked_at = {} -- gates, each with what its messages want and what it waits for

local function limit_of(name) -- shared, interval, tolerance, concurrency; what there is none of is false
  local found = limits[name]
  if found == nil then
    local text = call('HGET', NUMBERS, limit_at(name))
    found = text and cjson.decode(text)
    limits[name] = found
  end
  return found
end

local function wants_of(id, row) -- its limit, and the allowances that it would use; false without a limit
  local found = wants[id]
  if found == nil then
    local limit = limit_of(row.name)
    if limit then
      local head = cjson.decode(row.head)
      local rate_key, concurrency_key = head.rate_key or '', head.concurrency_key or ''
      local gate = cjson.encode({ limit[1], rate_key, concurrency_key, row.name })
      found = { limit = limit, gate = gate, key = concurrency_key }
      found.by_rate = allowance(limit[1], BY_RATE, rate_key)
      found.by_holders = allowance(limit[1], BY_HOLDERS, concurrency_key)
    end
    wants[id] = found or false
  end
  return found
end

local function used_of(allowed)
  if not used[allowed] then
    used[allowed] = tonumber(call('HGET', NUMBERS, used_at(allowed)) or 0)
  end
  return used[allowed]
end

local function tokens(limit, ahead) -- as `stem.tasks.rates`, and so are the next two
  local late = now + limit[3] - math.max(ahead, now)
  return late < 0 and 0 or 1 + math.floor(late / limit[2])
end

local function granted(limit, ahead)
  return cut(math.max(ahead, now) + limit[2])
end

local function opens_at(limit, ahead)
  return math.max(0, ahead - limit[3])
end

local function is_bound(want, allowed) -- whether its limit, which may be of another name than others, is one of these
  return want.limit[allowed == want.by_rate and 2 or 4] ~= false
end

-- How many of them may start. `counted` has what will have been used of allowances when those before it have started.
local function room_in(want, allowed, counted)
  local sum = counted[allowed] or used_of(allowed)
  if not is_bound(want, allowed) then
    return UNLIMITED
  end
  return allowed == want.by_rate and tokens(want.limit, sum) or want.limit[4] - sum
end

local function obstacle(want, counted) -- the allowance for which it has to wait
  for _, allowed in ipairs({ want.by_holders, want.by_rate }) do
    if room_in(want, allowed, counted) <= 0 then
      return allowed
    end
  end
end

local function count_in(want, counted)
  for _, allowed in ipairs({ want.by_rate, want.by_holders }) do
    if is_bound(want, allowed) then
      local sum = counted[allowed] or used_of(allowed)
      counted[allowed] = allowed == want.by_rate and granted(want.limit, sum) or sum + 1
    end
  end
end

-- When a queue looks again at what waits for an allowance, by what is known at the end of the call: a full one is
-- looked at when a holder's lease ends; while one is not full, nobody waits for it alone.
local function touch(queue, allowed, want)
  touched[waiters_of(allowed, queue)] = { queue, allowed, want }
end

local function next_look(allowed, want)
  if not want or not is_bound(want, allowed) then
    return now
  elseif allowed == want.by_holders then
    return room_in(want, allowed, used) <= 0 and LATEST or now
  end
  return math.max(now, opens_at(want.limit, used_of(allowed)))
end

local function look_over(queue, gate, want, allowed)
  looked_at[side_line(queue, gate)] = { queue, gate, want, allowed }
end

local function wait_for(queue, gate, want, allowed)
  look_over(queue, gate, want, allowed)
  local other = allowed == want.by_rate and want.by_holders or want.by_rate
  wait_no_more(queue, gate, other)
  rank(ORDER, waiters_of(allowed, queue) .. gate, 0)
  touch(queue, allowed, want)
end

local function settle_waits() -- when all has started that may
  for _, place in pairs(looked_at) do
    local queue, gate, want, allowed = unpack(place)
    local blocking = obstacle(want, used)
    if blocking and blocking ~= allowed then
      wait_for(queue, gate, want, blocking)
    end
  end
  for _, place in pairs(touched) do
    look_at(place[1], place[2], next_look(place[2], place[3]))
  end
end

local function step_aside(id, row, want, allowed)
  leave(id, row)
  note(id, row, 'aside', want.gate)
  rank(REFUSED, aside_at(id, row, want.gate), 0)
  wait_for(row.queue, want.gate, want, allowed)
end

local function use(id, row) -- what a message that is given needs
  local want = wants_of(id, row)
  if not want then
    return
  end
  local rate, holders = want.by_rate, want.by_holders
  if want.limit[2] then
    used[rate] = granted(want.limit, used_of(rate))
    put(NUMBERS, used_at(rate), text_of(used[rate]))
    rank(OVER, 'a' .. rate, used[rate])
  end
  if want.limit[4] then
    used[holders] = used_of(holders) + 1
    add(NUMBERS, used_at(holders), 1)
    note(id, row, 'holds', { want.limit[1], want.key })
  end
end
