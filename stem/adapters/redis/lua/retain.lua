-- Delete what was kept long enough, and keys whose lifetime is over. ARGV: time, how many. Answers how many tasks.

local limit = tonumber(ARGV[2])
local MOST_GROUPS = 1000
local deleted = 0

local function delete(id, row)
  move(row, '')
  add(NAMES, row.name, -1)
  for _, key in ipairs({ ROWS, BODIES, RESULTS, EXTRAS }) do
    put(key, id, false)
  end
  rank(ALL, id, false)
  rank(DEAD, id, false)
  rows[id] = false
  deleted = deleted + 1
end

-- One member of ENDED: tasks that ended together. A task that was replayed since is in another one, or lives.
local function delete_together(member, time)
  local ids, left = cjson.decode(member), {}
  fetch(ids)
  for _, id in ipairs(ids) do
    local row = rows[id]
    if row and TERMINAL[row.state] and row.keep_until <= now then
      if deleted < limit then
        delete(id, row)
      else
        left[#left + 1] = id
      end
    end
  end
  rank(ENDED, member, false)
  if #left > 0 then
    rank(ENDED, cjson.encode(left), time)
  end
end

local groups = call('ZRANGEBYSCORE', ENDED, '-inf', now, 'WITHSCORES', 'LIMIT', 0, math.min(limit, MOST_GROUPS))
for i = 1, #groups, 2 do
  if deleted >= limit then
    break
  end
  delete_together(groups[i], tonumber(groups[i + 1]))
end

local ended = call('ZRANGEBYSCORE', UNIQUE_ENDS, '-inf', now, 'LIMIT', 0, 1000)
if #ended > 0 then
  for i, found in ipairs(call('HMGET', UNIQUES, unpack(ended))) do
    rank(UNIQUE_ENDS, ended[i], false)
    local till = found and struct.unpack('>I8', found)
    if till and till > 0 and till <= now then
      put(UNIQUES, ended[i], false)
    end
  end
end
flush()
return deleted
