-- Take over lost deliveries. ARGV: time, the request as JSON. Answers: the time, deliveries.

local request = cjson.decode(ARGV[2])

local function count_loss(row)
  if row.started == 0 then
    row.lost = row.lost + 1
    if row.lost < LOST_BEFORE_CRASH then
      return
    end
  end
  row.crashes, row.attempt = row.crashes + 1, row.attempt + 1
end

local function rescue(id, row)
  local lost_by, started = row.worker, row.started
  count_loss(row)
  let_go(id, row)
  hold(id, row, { id = request.id, worker = request.worker, length = request.lease })
  row.lost_started, row.started = started, 0
  local found = more(id, row)
  note(id, row, 'lost_by', lost_by)
  note(id, row, 'lost_backoff', found.backoff)
  note(id, row, 'lost_ack', found.ack)
  note(id, row, 'backoff', nil)
  note(id, row, 'ack', nil)
end

local ids = given_before(request.id)
if #ids == 0 then
  local asked = {}
  for i, suspect in ipairs(request.suspects) do
    asked[i] = suspect[1]
  end
  fetch(asked)
  for _, suspect in ipairs(request.suspects) do
    local id, row = suspect[1], rows[suspect[1]]
    local held = row and row.lease_until > 0 and row.fence == suspect[2] and row.nonce == suspect[3]
    if held and row.lease_until == suspect[4] then
      rescue(id, row)
      ids[#ids + 1] = id
    end
  end
  remember(request.id, ids)
  flush()
end
return deliver({ now }, ids)
