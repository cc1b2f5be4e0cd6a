-- The ids of a page, the newest publication first. ARGV: time, the filter as JSON, where to begin
-- ('(number' or '+inf'), how many to find, how many to look at.
-- Answers: the number at which to go on ('' at the end), then two values for each found: number and id.

local filter = cjson.decode(ARGV[2])
local wanted, most = tonumber(ARGV[4]), tonumber(ARGV[5])

local function has(list, value)
  for _, one in ipairs(list) do
    if one == value then
      return true
    end
  end
  return false
end

local function in_time(row)
  return not (filter.since and row.published < filter.since) and not (filter['until'] and row.published >= filter['until'])
end

local function ended_in_time(row)
  local ended = row.finished
  if not filter.ended_since and not filter.ended_until then
    return true
  end
  return ended > 0
    and not (filter.ended_since and ended < filter.ended_since)
    and not (filter.ended_until and ended >= filter.ended_until)
end

local function of_head(id, row)
  if not filter.root and not filter.tag and not filter.group then
    return true
  end
  local head = cjson.decode(row.head)
  if filter.group and (head.member or {})[1] ~= filter.group then
    return false
  end
  if filter.root and (head.root or id) ~= filter.root then
    return false
  end
  return not filter.tag or has(head.tags or {}, filter.tag)
end

local function of_names(row)
  return (not filter.queue or filter.queue == row.queue)
    and (not filter.name or filter.name == row.name)
    and (not filter.worker or filter.worker == row.worker)
end

local function fits(id, row)
  return of_names(row)
    and not (filter.states and not has(filter.states, row.state))
    and in_time(row)
    and ended_in_time(row)
    and of_head(id, row)
end

local key = filter.dead and DEAD or ALL
local seen = call('ZREVRANGEBYSCORE', key, ARGV[3], '-inf', 'WITHSCORES', 'LIMIT', 0, most)
local ids = {}
for i = 1, #seen, 2 do
  ids[#ids + 1] = seen[i]
end
fetch(ids)
local answer, last = { '' }, ''
for i = 1, #seen, 2 do
  local row = rows[seen[i]]
  last = seen[i + 1]
  if row and fits(seen[i], row) then
    answer[#answer + 1] = last
    answer[#answer + 1] = seen[i]
    if #answer > 2 * wanted then
      break
    end
  end
end
if #ids == most or #answer > 2 * wanted then
  answer[1] = last
end
return answer
