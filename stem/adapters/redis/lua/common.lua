-- What all scripts share. A script first reads and decides in memory; `flush` is the only place that writes, and
-- it comes last, when nothing can fail any more; only numbers are taken before. A script that flushes twice has made
-- two whole changes.
--
-- Sorted sets whose scores are all 0 are sorted by their members' bytes:
--   READY   queue, 255 - priority, due, seq, id     what may be leased now, in the order in which it is given out
--   LATER   queue, due, refused, 255 - priority, seq, id     what has to be looked at again at that time
--   REFUSED  queue, crowd, 255 - priority, due, seq, id     what a crowd of registries refused, each until its pause ends
--            and what limits do not let start: queue, a byte that no crowd begins with, gate, 255 - priority, due, seq, id
--   LINKS   what is waited for, seq, id     the live messages that continue a task or a group
--   MEMBERS  group, place (the highest for none), id
--   WORK    'r' or 'w', group     what is done in portions: see walks.lua
--   ORDER   'b', channel, position, id; 'r', version, task id; 's', schedule; 'o', an old outcome     how broadcasts and
--            the like are listed;
--            'l', name, and 'g', allowance, queue, gate     limits, and what waits for them: see limits/gates.lua
-- `queue`, `crowd` and what is not last have their length before them; numbers are big endian.
--
-- OVER says when something has had its time: a letter for its kind, then its key.
--
-- What a call leased is indexed as one, under its nonce: ANSWERS has the ids, HELD how many of these leases stand if it
-- leased several (of one that was leased alone its row says so), LEASED when the first of them may become suspect (or
-- earlier), RENEWED when the last was renewed (or later).
-- What ends in a batch and is kept equally long is one member of ENDED.

local call = redis.call
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end

local raws = {} -- rows as they are stored, or will be; false where there is none
local rows, changed = {}, {} -- those that somebody had to read, and those of them that are to be written
local extras, extras_changed = {}, {}
local groups, groups_changed = {}, {}
local hashes, sets, sums, tallies = {}, {}, {}, {}
local added, ranked, gone = {}, {}, {} -- by key what is new in a hash, in a sorted set, and what has gone from one
local endings = {} -- what ended, by the time until which it is kept
local told_queues, told_tasks, told_channels, told_results = {}, {}, {}, {}

local function cut(time)
  return math.max(0, math.min(time, LATEST))
end

local function named(text)
  return struct.pack('>I4', #text) .. text
end

local function sortable(number) -- bytes that stand in the order of numbers, negative ones too
  local raw = struct.pack('>i8', number)
  return string.char((raw:byte() + 128) % 256) .. raw:sub(2)
end

local function text_of(number) -- all its digits
  return string.format('%.0f', number)
end

-- Reading ------------------------------------------------------------------------------------------------------

local function in_parts(list, size, work)
  if #list <= size then
    if #list > 0 then
      work(list)
    end
    return
  end
  for at = 1, #list, size do
    local part = {}
    for i = at, math.min(at + size - 1, #list) do
      part[#part + 1] = list[i]
    end
    work(part)
  end
end

local function load(ids) -- their rows, as they are stored, with one command
  local missing = {}
  for _, id in ipairs(ids) do
    if raws[id] == nil then
      raws[id] = false
      missing[#missing + 1] = id
    end
  end
  in_parts(missing, 1000, function(part)
    for i, raw in ipairs(call('HMGET', ROWS, unpack(part))) do
      raws[part[i]] = raw
    end
  end)
end

local function is_stored(id)
  if raws[id] == nil then
    raws[id] = call('HGET', ROWS, id)
  end
  return raws[id] and true
end

local function find(id)
  local row = rows[id]
  if row == nil then
    row = is_stored(id) and decode_row(raws[id])
    rows[id] = row
  end
  return row
end

local function fetch(ids)
  load(ids)
  for _, id in ipairs(ids) do
    find(id)
  end
end

-- The rare facts of a task, texts by name: errors, progress, why it is parked, who refused it, what its start told.
local function more(id, row)
  local found = extras[id]
  if not found then
    local text = row.has_extras == 1 and call('HGET', EXTRAS, id)
    found = text and cjson.decode(text) or {}
    extras[id] = found
  end
  return found
end

local function note(id, row, name, value)
  if not value and row.has_extras == 0 and not extras[id] then
    return
  end
  local found = more(id, row)
  if found[name] ~= value then
    found[name] = value or nil
    extras_changed[id] = true
    changed[id] = true
  end
end

-- Staging ------------------------------------------------------------------------------------------------------

local function part_of(all, key)
  local part = all[key]
  if not part then
    part = {}
    all[key] = part
  end
  return part
end

local function append(all, key, first, second) -- to what goes into a key, or out of it, as it comes
  local list = part_of(all, key)
  local size = #list
  list[size + 1], list[size + 2] = first, second
end

local function put_row(id, raw)
  raws[id] = raw
  append(added, ROWS, id, raw)
end

local function put(key, field, value) -- a field of a hash; false deletes it
  part_of(hashes, key)[field] = value
end

local function rank(key, member, score) -- a member of a sorted set; false removes it, whatever was appended
  part_of(sets, key)[member] = score
end

local function add(key, field, by)
  local part = part_of(sums, key)
  part[field] = (part[field] or 0) + by
end

local function tally(state, queue, by)
  if state ~= '' then
    local part = part_of(tallies, state)
    part[queue] = (part[queue] or 0) + by
  end
end

local function move(row, state) -- to another state, with the tally of its queue
  tally(row.state, row.queue, -1)
  tally(state, row.queue, 1)
  row.state = state
end
