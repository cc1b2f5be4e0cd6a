-- A worker that has nothing to do lets its request stand: STANDING has, for a queue, the last that did so. What is
-- published alone while it stands is leased to it in the same call, and sent to it, which saves the message that tells
-- of it and the question that follows. So strictly only where nothing of the queue could be given before it.

local MOST_SENT = 65536 -- bytes: what is larger is leased as ever

local function standing_for(queue) -- the request, as lease.lua packs it
  local text = call('HGET', STANDING, queue)
  if not text then
    return nil
  end
  local at, length, started, nonce, worker, ear, queues, lengths = struct.unpack('>i8i8BI4c0I4c0I4c0I4c0I4c0', text)
  return {
    at = at,
    length = length,
    lengths = lengths ~= '' and cjson.decode(lengths) or {},
    started = started,
    nonce = nonce,
    worker = worker,
    ear = ear,
    queues = queues,
  }
end

local function is_clear(queue) -- whether nothing is to be leased before what is new, and nothing forbids it
  if call('EXISTS', READY, LATER, PAUSES, REFUSED) == 0 then
    return true
  end
  local prefix = named(queue)
  local due = '(' .. prefix .. struct.pack('>I8', now + 1)
  return call('HEXISTS', PAUSES, queue) == 0
    and not call('ZSCORE', REFUSED, DECLARED)
    and #call('ZRANGEBYLEX', READY, '[' .. prefix, '(' .. prefix .. '\255\255', 'LIMIT', 0, 1) == 0
    and #call('ZRANGEBYLEX', LATER, '[' .. prefix, due, 'LIMIT', 0, 1) == 0
end

local function is_heard(channel) -- whether whoever listens to it is connected to this server, and still is
  local found = redis.pcall('PUBSUB', 'NUMSUB', channel)
  return not found.err and tonumber(found[2]) > 0
end

local function find_waiting(queue)
  local found = standing_for(queue)
  if found and now - found.at <= STANDS_FOR and is_clear(queue) and is_heard(found.ear) then
    return found
  end
end

local function leased_row(found, name, packed) -- of what was never in line
  local live = life_of(found.lengths[name] or found.length, found.started, 1, found)
  local stamp = struct.pack('>i8i8i8i8i8', seq, now, now, 0, 0)
  return stamp .. packed:sub(1, LIVE_AT - SIZE_AT) .. live .. packed:sub(NAMES_AT - SIZE_AT + 1)
end

local function stand_no_more(found)
  for queue in found.queues:gmatch('[^\n]+') do
    put(STANDING, queue, false)
  end
end

local sending -- what the worker is sent, once it is written

-- Publish a run of one to whoever waits for it; whether there was somebody.
local function hand_over(run)
  local _, queue, name, _, delay, count, first = unpack(run)
  local id, packed, body = unpack(ARGV, BLOBS + first, BLOBS + first + 2)
  local found = count == 1 and delay == 0 and #body <= MOST_SENT and not raws[id] and find_waiting(queue)
  if not found then
    return false
  end
  seq = seq + 1
  local raw = leased_row(found, name, packed)
  put_row(id, raw)
  append(added, BODIES, id, body)
  append(ranked, ALL, seq, id)
  add(NAMES, name, 1)
  tally(RUNNING, queue, 1)
  remember(found.nonce, { id })
  stand_no_more(found)
  sending = { found, raw, body }
  return true
end

local function bulk(text)
  return '$' .. #text .. '\r\n' .. text .. '\r\n'
end

-- As the server would answer a call: the request, since when it stood, the time, then as `deliver` says.
local function send_handed()
  if sending then
    local found, raw, body = unpack(sending)
    local times = ':' .. text_of(now - found.at) .. '\r\n:' .. text_of(now) .. '\r\n'
    call('PUBLISH', found.ear, '*6\r\n' .. bulk(found.nonce) .. times .. bulk(raw) .. bulk(body) .. bulk(''))
  end
end
