-- What may not start yet stands aside in REFUSED, in the line of its queue and its gate: the task whose allowances it
-- uses, its rate key, its concurrency key and its name, as JSON, so that one limit holds for all before a gate. An
-- allowance is a task, a kind and a key; NUMBERS has what is used of it: the time up to which starts are given out, or
-- how many leases hold it. Each gate waits for one of its two allowances: ORDER says which, and LATER says when a queue
-- looks at those again that wait for it.

local BY_RATE, BY_HOLDERS = 'r', 'h'

local function allowance(shared, kind, key)
  return named(shared) .. kind .. named(key)
end

local function used_at(allowed)
  return 'used:' .. allowed
end

local function limit_at(name)
  return 'limit:' .. name
end

local function side_line(queue, gate)
  return named(queue) .. '\255' .. named(gate)
end

local function aside_at(id, row, gate)
  return side_line(row.queue, gate) .. struct.pack('>BI8I8', 255 - row.priority, row.due, row.seq) .. id
end

local function waiters_of(allowed, queue) -- where they begin in ORDER, before their gates
  return 'g' .. allowed .. named(queue or '')
end

local function opening_at(queue, allowed, time)
  return named(queue) .. struct.pack('>I8B', time, 2) .. allowed
end

-- When a queue looks again -------------------------------------------------------------------------------------

local times = {}

local function time_of(queue, allowed) -- LATEST: not before something happens
  local field = 'look:' .. named(queue) .. allowed
  if not times[field] then
    times[field] = tonumber(call('HGET', NUMBERS, field) or LATEST)
  end
  return times[field], field
end

local function look_at(queue, allowed, time)
  local before, field = time_of(queue, allowed)
  if time == before then
    return
  end
  if before < LATEST then
    rank(LATER, opening_at(queue, allowed, before), false)
  end
  if time < LATEST then
    rank(LATER, opening_at(queue, allowed, time), 0)
  end
  times[field] = time
  put(NUMBERS, field, time < LATEST and text_of(time))
end

-- Look again at what waits for allowances whose names begin so: at most `most` times, from `from` on. Where to go on.
local function open_all(prefix, from, most)
  local till = '(g' .. prefix .. '\255'
  for _ = 1, most do
    local member = call('ZRANGEBYLEX', ORDER, from, till, 'LIMIT', 0, 1)[1]
    if not member then
      return nil
    end
    local shared, kind, key, queue, at = struct.unpack('>I4c0c1I4c0I4c0', member, 2)
    local allowed = allowance(shared, kind, key)
    look_at(queue, allowed, math.min(now, (time_of(queue, allowed))))
    told_queues[queue] = true
    from = '[' .. member:sub(1, at - 1) .. '\255'
  end
  return from
end

local function stop_holding(id, row, held) -- the lease of a holder has ended: shared, concurrency key
  local allowed = allowance(held[1], BY_HOLDERS, held[2])
  add(NUMBERS, used_at(allowed), -1)
  note(id, row, 'holds', nil)
  open_all(allowed, '[g' .. allowed, LATEST)
end

-- Lines that become empty --------------------------------------------------------------------------------------

local thinned, left = {}, {} -- lines that have lost somebody, allowances that a gate waits for no more

local function come_out(id, row) -- of the side line
  local gate = more(id, row).aside
  rank(REFUSED, aside_at(id, row, gate), false)
  note(id, row, 'aside', nil)
  thinned[side_line(row.queue, gate)] = { row.queue, gate }
end

local function wait_no_more(queue, gate, allowed)
  rank(ORDER, waiters_of(allowed, queue) .. gate, false)
  left[waiters_of(allowed, queue)] = { queue, allowed }
end

local function is_empty(key, prefix)
  return #call('ZRANGEBYLEX', key, '[' .. prefix, '(' .. prefix .. '\255\255', 'LIMIT', 0, 1) == 0
end

-- Forget lines that are empty, and times at which nobody would be looked at. Behind a flush, as a change of its own.
local function tidy()
  for line, place in pairs(thinned) do
    if is_empty(REFUSED, line) then
      local shared, rate_key, concurrency_key = unpack(cjson.decode(place[2]))
      wait_no_more(place[1], place[2], allowance(shared, BY_RATE, rate_key))
      wait_no_more(place[1], place[2], allowance(shared, BY_HOLDERS, concurrency_key))
    end
  end
  flush()
  for waiters, place in pairs(left) do
    if is_empty(ORDER, waiters) then
      look_at(place[1], place[2], LATEST)
      put(NUMBERS, 'turn:' .. waiters, false)
    end
  end
  flush()
  thinned, left = {}, {}
end
