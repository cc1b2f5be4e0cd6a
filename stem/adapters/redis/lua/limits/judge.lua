-- Which messages may start, by the allowances of their tasks. Those that a lease call comes upon and that may not are
-- moved aside.

local UNLIMITED = 1000000000

local limits, used, wants = {}, {}, {}
local promised = {} -- up to which time the starts of an allowance are given out, with those that were let back
local touched = {} -- what waits for an allowance, of which this call has changed something

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
      found = { limit = limit, gate = cjson.encode({ limit[1], rate_key, concurrency_key }), key = concurrency_key }
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

local function granted(limit, ahead, count)
  return cut(math.max(ahead, now) + count * limit[2])
end

local function opens_at(limit, ahead)
  return math.max(0, ahead - limit[3])
end

local function room_in(want, allowed) -- how many of them may start
  if allowed == want.by_rate then
    return want.limit[2] and tokens(want.limit, used_of(allowed)) or UNLIMITED
  end
  return want.limit[4] and want.limit[4] - used_of(allowed) or UNLIMITED
end

-- The allowance for which it has to wait, where those that were counted start before it.
local function obstacle(want, counted)
  for _, allowed in ipairs({ want.by_holders, want.by_rate }) do
    if room_in(want, allowed) <= (counted[allowed] or 0) then
      return allowed
    end
  end
end

local function count_in(want, counted)
  counted[want.by_rate] = (counted[want.by_rate] or 0) + 1
  counted[want.by_holders] = (counted[want.by_holders] or 0) + 1
end

-- When a queue looks again at what waits for an allowance, by what is known at the end of the call: a full one is
-- looked at when a holder's lease ends; while one is not full, nobody waits for it alone.
local function touch(queue, allowed, want)
  touched[waiters_of(allowed, queue)] = { queue, allowed, want }
end

local function next_look(allowed, want)
  local limit = want and want.limit
  if not limit then
    return now
  elseif allowed == want.by_holders then
    return room_in(want, allowed) <= 0 and LATEST or now
  elseif not limit[2] then
    return now
  end
  return math.max(now, opens_at(limit, math.max(used_of(allowed), promised[allowed] or 0)))
end

local function settle_looks()
  for _, place in pairs(touched) do
    look_at(place[1], place[2], next_look(place[2], place[3]))
  end
end

local function wait_for(queue, gate, want, allowed)
  local other = allowed == want.by_rate and want.by_holders or want.by_rate
  wait_no_more(queue, gate, other)
  rank(ORDER, waiters_of(allowed, queue) .. gate, 0)
  touch(queue, allowed, want)
end

local function step_aside(id, row, want, allowed)
  leave(id, row)
  note(id, row, 'aside', want.gate)
  rank(REFUSED, aside_at(id, row, want.gate), 0)
  wait_for(row.queue, want.gate, want, allowed)
end

-- The ids of those that may start; at most `most` others are moved aside, and then those behind them are not judged.
-- How many were moved, and whether that was the reason to stop.
local function without_limited(ids, most)
  local free, moved, counted = {}, 0, {}
  for _, id in ipairs(ids) do
    local row = rows[id]
    local want = row and LEASABLE[row.state] and wants_of(id, row)
    local allowed = want and obstacle(want, counted)
    if not allowed then
      free[#free + 1] = id
      if want then
        count_in(want, counted)
      end
    elseif moved == most then
      return free, moved, true
    else
      moved = moved + 1
      step_aside(id, row, want, allowed)
    end
  end
  return free, moved, false
end

local function use(id, row) -- what a message that is given needs
  local want = wants_of(id, row)
  if not want then
    return
  end
  local rate, holders = want.by_rate, want.by_holders
  if want.limit[2] then
    used[rate] = granted(want.limit, used_of(rate), 1)
    put(NUMBERS, used_at(rate), text_of(used[rate]))
    rank(OVER, 'a' .. rate, used[rate])
  end
  if want.limit[4] then
    used[holders] = used_of(holders) + 1
    add(NUMBERS, used_at(holders), 1)
    note(id, row, 'holds', { want.limit[1], want.key })
  end
end
