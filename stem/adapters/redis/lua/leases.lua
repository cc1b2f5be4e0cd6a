-- What a call is given, and until when it may keep it.

local function suspect_after(length) -- how long a lease may go without being renewed
  return math.floor(length / 3) + GRACE
end

local function renewed_at(row)
  return row.lease_until - row.lease
end

local function suspect_at(row) -- when a lease has not been renewed for too long
  return renewed_at(row) + suspect_after(row.lease)
end

local first_suspect = LATEST -- when the first lease of this call may be suspect

local function hold(id, row, lease) -- begin a lease
  row.began = row.started_at > 0 and 1 or 0
  row.fence = row.fence + 1
  row.deliveries = row.deliveries + 1
  row.nonce, row.worker = lease.id, lease.worker
  row.lease = lease.length
  row.lease_until = cut(now + lease.length)
  row.reported = NEVER
  row.due = 0
  first_suspect = math.min(first_suspect, suspect_at(row))
  changed[id] = true
end

local function remember(nonce, ids) -- what a call was given: for the same call sent again, and for sweepers
  if #ids == 0 then
    return
  end
  put(ANSWERS, nonce, cjson.encode(ids))
  local row = #ids == 1 and rows[ids[1]]
  if row then -- where it was not read, its row says so already
    row.alone = 1
  elseif #ids > 1 then
    add(HELD, nonce, #ids)
  end
  rank(LEASED, nonce, first_suspect)
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
  for i, id in ipairs(ids) do
    local row = rows[id]
    local found = row and row.has_extras == 1 and call('HGET', EXTRAS, id)
    answer[3 * i + at - 2] = raws[id]
    answer[3 * i + at - 1] = bodies[i]
    answer[3 * i + at] = found or ''
  end
  return answer
end
