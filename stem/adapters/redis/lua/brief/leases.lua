-- The ordinary life of a task: published, leased once, ended, and nothing else to be said of it. Its row is cut and put
-- together as a text, which costs a third of reading all that it says and writing it again. Here it is leased.

local untouched = {} -- the sizes of what was published and neither leased nor changed since, by id
local lives = {} -- what rows say of leases of this call, by whether they are marked as started, then by their length

local function find_untouched(ids)
  for _, id in ipairs(ids) do
    local raw = raws[id]
    if raw and not rows[id] and standing[id] and raw:sub(LIVE_AT, NAMES_AT - 1) == NEVER_LEASED then
      untouched[id] = struct.unpack('>I4', raw, SIZE_AT)
    end
  end
end

local function length_for(name)
  return request.leases[name] or request.lease
end

local function same_life(length, started, alone)
  local known = part_of(lives, started)
  local live = known[length]
  if not live then
    live = life_of(length, started, alone, { nonce = request.id, worker = request.worker })
    known[length] = live
  end
  return live
end

local function begin_life(id, started, alone) -- in a call that leases nothing else, if it is `alone`
  local raw = raws[id]
  local queue, name = struct.unpack('>I4c0I4c0', raw, NAMES_AT)
  local live = same_life(length_for(name), started, alone)
  put_row(id, raw:sub(1, BORN_TO) .. NO_TIME .. raw:sub(SIZE_AT, LIVE_AT - 1) .. live .. raw:sub(NAMES_AT))
  append(gone, READY, standing[id])
  tally(QUEUED, queue, -1)
  tally(RUNNING, queue, 1)
end
