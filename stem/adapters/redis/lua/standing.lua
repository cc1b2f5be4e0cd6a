-- Requests that stand: their workers had room for more than was due. STANDING has them by worker: since when, for how
-- many, how many of these can start at once, then the request as JSON. ORDER lists them: 'w', queue, since when, worker.

local function standing_at(queue, time, worker)
  return 'w' .. named(queue) .. struct.pack('>I8', time) .. worker
end

local function standing_of(worker) -- the request, and what is known of it besides
  if hashes[STANDING] and hashes[STANDING][worker] == false then
    return nil
  end
  local text = call('HGET', STANDING, worker)
  if not text then
    return nil
  end
  local at, left, startable = struct.unpack('>I8I4I4', text)
  local found = cjson.decode(text:sub(17))
  found.at, found.left, found.startable = at, left, startable
  return found
end

local function stand_no_more(found)
  put(STANDING, found.worker, false)
  for _, queue in ipairs(found.queues) do
    rank(ORDER, standing_at(queue[1], found.at, found.worker), false)
  end
end
