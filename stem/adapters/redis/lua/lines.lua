-- Where messages stand, who holds them, and what is given to those who asked.

local function named(text)
  return struct.pack('>I4', #text) .. text
end

local function ready_at(id, row)
  return named(row.queue) .. struct.pack('>BI8I8', 255 - row.priority, row.due, row.seq) .. id
end

local function later_at(id, row, time)
  return named(row.queue) .. struct.pack('>I8BBI8', time, row.refused, 255 - row.priority, row.seq) .. id
end

local function parked_at(id, row, crowd)
  return named(row.queue) .. named(crowd) .. struct.pack('>BI8I8', 255 - row.priority, row.due, row.seq) .. id
end

-- Which of those that refused a message are still to be passed over, as one text, and when the first is not any more.
local function crowd_of(found)
  local names, first = {}, LATEST
  for _, refusal in ipairs(found.refused or {}) do
    local till = tonumber(refusal[2])
    if till > now then
      names[#names + 1] = refusal[1]
      first = math.min(first, till)
    end
  end
  if #names == 0 then
    return nil
  end
  table.sort(names)
  return cjson.encode(names), first
end

local function wait(id, row) -- stand in line, at `row.due`
  if row.due > now then
    rank(LATER, later_at(id, row, row.due), 0)
    return
  end
  local crowd, first
  if row.refused == 1 then
    crowd, first = crowd_of(more(id, row))
  end
  if not crowd then
    rank(READY, ready_at(id, row), 0)
    return
  end
  note(id, row, 'crowd', crowd)
  note(id, row, 'until', string.format('%.0f', first))
  rank(REFUSED, parked_at(id, row, crowd), 0)
  rank(LATER, later_at(id, row, first), 0)
end

local function leave(id, row) -- step out of line, wherever it stands
  local found = row.refused == 1 and more(id, row)
  if found and found.crowd then
    rank(REFUSED, parked_at(id, row, found.crowd), false)
    rank(LATER, later_at(id, row, tonumber(found['until'])), false)
    note(id, row, 'crowd', nil)
    note(id, row, 'until', nil)
    return
  end
  rank(READY, ready_at(id, row), false)
  rank(LATER, later_at(id, row, row.due), false)
end

local function hold(id, row, lease) -- begin a lease
  row.began = row.started_at > 0 and 1 or 0
  row.fence = row.fence + 1
  row.deliveries = row.deliveries + 1
  row.nonce, row.worker = lease.id, lease.worker
  row.lease = lease.length
  row.lease_until = cut(now + lease.length)
  row.reported = NEVER_REPORTED
  row.due = 0
  changed[id] = true
end

local function let_go(id, row) -- end a lease
  add(HELD, row.nonce, -1)
  row.lease, row.lease_until, row.nonce = 0, 0, ''
  changed[id] = true
end

local function renewed_at(row)
  return row.lease_until - row.lease
end

local function suspect_at(row) -- when a lease has not been renewed for too long
  return renewed_at(row) + math.floor(row.lease / 3) + GRACE
end

local function remember(nonce, ids) -- what a call was given: for the same call sent again, and for sweepers
  if #ids == 0 then
    return
  end
  local first = LATEST
  for _, id in ipairs(ids) do
    local row = rows[id]
    first = math.min(first, suspect_at(row))
  end
  put(ANSWERS, nonce, cjson.encode(ids))
  add(HELD, nonce, #ids)
  rank(LEASED, nonce, first)
  rank(RENEWED, nonce, now)
end

local function given_before(nonce)
  local held = {}
  local text = call('HGET', ANSWERS, nonce)
  if text then
    local ids = cjson.decode(text)
    fetch(ids)
    for _, id in ipairs(ids) do
      local row = rows[id]
      if row and row.nonce == nonce then
        held[#held + 1] = id
      end
    end
  end
  return held
end

local function bodies_of(ids)
  local bodies = {}
  in_parts(ids, 1000, function(part)
    for _, body in ipairs(call('HMGET', BODIES, unpack(part))) do
      bodies[#bodies + 1] = body or ''
    end
  end)
  return bodies
end

local function deliver(answer, ids) -- three values for each: row, envelope, rare facts; after the flush
  local bodies, at = bodies_of(ids), #answer
  local written = hashes[ROWS] or {}
  for i, id in ipairs(ids) do
    local row = rows[id]
    local found = row.has_extras == 1 and call('HGET', EXTRAS, id)
    answer[3 * i + at - 2] = written[id] or encode(row)
    answer[3 * i + at - 1] = bodies[i]
    answer[3 * i + at] = found or ''
  end
  return answer
end
