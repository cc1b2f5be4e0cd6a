-- A batch of changes, one after the other. ARGV: time, channel, origin, the changes as JSON, then their bytes.
-- A change is [id or false, counter, nonce, number, write, ...]; a write begins with its letter.
-- Answers: a letter for each change, the details of those that have some as JSON, the queues to tell of.

local changes = cjson.decode(ARGV[4])

local UNFENCED = { P = true, C = true, Y = true }
local ENDS = { S = true, G = true }

local function replay_refusal(id, generation)
  local row = find(id)
  if not row then
    return 'unknown_id', 'no task ' .. id
  end
  if is_replayed(row, generation) then
    return nil
  end
  if not REPLAYABLE[row.state] then
    return 'invalid_transition', 'the task is ' .. row.state
  end
  local holder = row.is_unique == 1 and holder_of(row.key, id)
  if holder then
    return 'duplicate', 'duplicate of ' .. holder
  end
end

local function publishes(change, id)
  for i = 5, #change do
    if change[i][1] == 'P' and change[i][2] == id then
      return true
    end
  end
end

local function refusal(change)
  for i = 5, #change do
    local kind, id = change[i][1], change[i][2]
    if kind == 'C' and not find(id) and not publishes(change, id) then
      return 'unknown_id', 'no task ' .. id
    elseif kind == 'Y' then
      local code, detail = replay_refusal(id, change[i][3])
      if code then
        return code, detail
      end
    end
  end
end

local function not_held(change, row) -- the verdict on a change whose lease does not stand
  if not row or row.used_nonce ~= change[3] or row.used_fence ~= change[2] or row.used_number ~= change[4] then
    return 'F'
  end
  for i = 5, #change do
    if ENDS[change[i][1]] then
      return 'A'
    end
  end
  return 'F'
end

local function apply_leased(id, row, write, number)
  local kind = write[1]
  if ENDS[kind] then
    consume(id, row, number)
  end
  if kind == 'S' then
    finish_leased(id, row, write)
  elseif kind == 'G' then
    give_back(id, row, write)
  elseif row.lease_until > 0 then
    (kind == 'T' and start or report)(id, row, write)
  end
end

local function apply(change)
  local id = change[1]
  local row = id and find(id)
  if id and not (row and row.lease_until > 0 and row.nonce == change[3] and row.fence == change[2]) then
    return not_held(change, row)
  end
  local code, detail = refusal(change)
  if code then
    return 'R', { code, detail }
  end
  for i = 5, #change do
    local write = change[i]
    if write[1] == 'P' then
      local letter, holder = publish(write, #change == 5)
      if letter ~= 'A' then
        return letter, holder
      end
    elseif write[1] == 'C' then
      cancel(write)
    elseif write[1] == 'Y' then
      replay(write)
    else
      apply_leased(id, row, write, change[4])
    end
  end
  return 'A'
end

local ids = {}
for _, change in ipairs(changes) do
  if change[1] then
    ids[#ids + 1] = change[1]
  end
  for i = 5, #change do
    if UNFENCED[change[i][1]] then
      ids[#ids + 1] = change[i][2]
    end
  end
end
fetch(ids)

local letters, details = {}, {}
for i, change in ipairs(changes) do
  local letter, detail = apply(change)
  letters[i] = letter
  if detail then
    details[#details + 1] = detail
  end
end

for time, together in pairs(endings) do
  rank(ENDED, cjson.encode(together), time)
end
flush()
local queues = tell(ARGV[2], ARGV[3])
return { table.concat(letters), cjson.encode(details), queues }
