-- What is published while a request stands for it does not wait in line: it is leased in the same call, and told to
-- who asked. So strictly only where nothing of its queue is to be leased before it.

local is_mixed = false -- whether the batch brings more than new tasks
local handed = {} -- what is to be told: a request, the ids that it is given, where their envelopes are
local MOST_SERVED, MOST_HANDED, STANDS_FOR = 8, 1048576, 8000000

local function is_clear(queue) -- whether nothing is to be leased before what is fresh, and nothing forbids it
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

local function is_heard(channel) -- whether whoever listens to it is still connected
  local found = redis.pcall('PUBSUB', 'NUMSUB', channel)
  return not found.err and tonumber(found[2]) > 0
end

-- The request that a member of ORDER names, which stands no more; nil where nobody would hear of what it is given.
local function next_request(prefix, member)
  local worker = member:sub(#prefix + 9)
  local found = standing_of(worker)
  if not found or found.at ~= struct.unpack('>I8', member, #prefix + 1) then
    rank(ORDER, member, false)
    return nil
  end
  stand_no_more(found)
  return now - found.at <= STANDS_FOR and is_heard(found.ear) and found or nil
end

local function give_fresh(found, list, from, count) -- how many; not more than is told at once
  local ids, bodies, size = {}, {}, 0
  for i = from, from + count - 1 do
    local id, member, body = unpack(list[i])
    local row = decode_row(hashes[ROWS][id])
    size = size + row.size
    if #ids > 0 and size > MOST_HANDED then
      break
    end
    rows[id], sets[READY][member] = row, nil
    give(id, row, found, found.stands, #ids < found.startable)
    ids[#ids + 1], bodies[#bodies + 1] = id, body
  end
  remember(found.stands, ids)
  handed[#handed + 1] = { found, ids, bodies }
  return #ids
end

local function serve(queue, list) -- how many were handed over: to each who asked an equal share
  local prefix, given = 'w' .. named(queue), 0
  local asked = call('ZRANGEBYLEX', ORDER, '[' .. prefix, '(' .. prefix .. '\255', 'LIMIT', 0, MOST_SERVED)
  for i, member in ipairs(asked) do
    local found = given < #list and next_request(prefix, member)
    if found then
      local share = math.ceil((#list - given) / (#asked - i + 1))
      given = given + give_fresh(found, list, given + 1, math.min(share, found.left))
    end
  end
  return given
end

local function in_order(a, b)
  return a[2] < b[2]
end

local function hand_over()
  local stands = next(fresh) and not is_mixed and call('EXISTS', STANDING) == 1
  for queue, list in pairs(fresh) do
    local given = 0
    if stands and is_clear(queue) then
      table.sort(list, in_order)
      given = serve(queue, list)
    end
    if given < #list then
      told_queues[queue] = true
    end
  end
end

local function bulk(text)
  return '$' .. #text .. '\r\n' .. text .. '\r\n'
end

-- Each is told as the server would answer a call: id, since when, the time, then as `deliver` says; after the flush.
local function tell_handed()
  for _, one in ipairs(handed) do
    local found, ids, bodies = unpack(one)
    local parts = { '*' .. 3 + 3 * #ids .. '\r\n' .. bulk(found.stands) }
    parts[2] = ':' .. text_of(now - found.at) .. '\r\n:' .. text_of(now) .. '\r\n'
    for i, id in ipairs(ids) do
      parts[i + 2] = bulk(written[id]) .. bulk(ARGV[BLOBS + bodies[i]]) .. bulk('')
    end
    call('PUBLISH', found.ear, table.concat(parts))
  end
end
