-- What a call is given, and until when it may keep it.

local function hold(id, row, lease) -- begin a lease
  row.began = row.started_at > 0 and 1 or 0
  row.fence = row.fence + 1
  row.deliveries = row.deliveries + 1
  row.nonce, row.worker = lease.id, lease.worker
  row.lease = lease.length
  row.lease_until = cut(now + lease.length)
  row.reported = NEVER
  row.due = 0
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
  if #ids > 1 then
    add(HELD, nonce, #ids - 1)
  end
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
  for i, id in ipairs(ids) do
    local row = rows[id]
    local found = row.has_extras == 1 and call('HGET', EXTRAS, id)
    answer[3 * i + at - 2] = written[id] or encode_row(row)
    answer[3 * i + at - 1] = bodies[i]
    answer[3 * i + at] = found or ''
  end
  return answer
end
