-- The end of every script that changes something: all that was staged is written, then told.

local function write_list(command, key, list)
  in_parts(list, 2000, function(part)
    call(command, key, unpack(part))
  end)
end

local function write_lists(command, lists)
  for key, list in pairs(lists) do
    write_list(command, key, list)
  end
end

local function write_hashes(deleting)
  for key, fields in pairs(hashes) do
    local list = {}
    for field, value in pairs(fields) do
      if deleting and not value then
        list[#list + 1] = field
      elseif not deleting and value then
        list[#list + 1] = field
        list[#list + 1] = value
      end
    end
    write_list(deleting and 'HDEL' or 'HSET', key, list)
  end
end

local function write_sets(removing)
  for key, members in pairs(sets) do
    local list = {}
    for member, score in pairs(members) do
      if removing and not score then
        list[#list + 1] = member
      elseif not removing and score then
        list[#list + 1] = score == 0 and '0' or score -- the server would print a number to read it
        list[#list + 1] = member
      end
    end
    write_list(removing and 'ZREM' or 'ZADD', key, list)
  end
end

local function forget_call(nonce) -- its last lease has ended
  call('HDEL', ANSWERS, nonce)
  call('ZREM', LEASED, nonce)
  call('ZREM', RENEWED, nonce)
end

-- A queue that is empty for a moment is not worth a command: `retain` removes what counts nothing.
local function write_sum(key, field, by)
  local sum = call('HINCRBY', key, field, by)
  if sum <= 0 and key ~= COUNTS then
    call('HDEL', key, field)
  end
  if sum <= 0 and key == HELD then
    forget_call(field)
  end
end

local function write_sums()
  for state, queues in pairs(tallies) do
    for queue, by in pairs(queues) do
      add(COUNTS, state .. ':' .. queue, by)
    end
  end
  for key, fields in pairs(sums) do
    for field, by in pairs(fields) do
      if by ~= 0 then
        write_sum(key, field, by)
      end
    end
  end
end

local function stage_groups()
  for id in pairs(groups_changed) do
    put(GROUPS, id, groups[id] and encode_group(groups[id]))
  end
end

local function stage_rows()
  for id in pairs(extras_changed) do
    local row, found = rows[id], extras[id]
    if row then
      row.has_extras = next(found) and 1 or 0
      put(EXTRAS, id, next(found) and cjson.encode(found) or false)
    end
  end
  for id in pairs(changed) do
    if rows[id] then
      put_row(id, encode_row(rows[id]))
    end
  end
  for time, together in pairs(endings) do
    rank(ENDED, cjson.encode(together), time)
  end
end

local function forget_staged()
  hashes, sets, sums, tallies = {}, {}, {}, {}
  added, ranked, gone = {}, {}, {}
  changed, extras_changed, groups_changed, endings = {}, {}, {}, {}
end

local function flush()
  stage_rows()
  stage_groups()
  write_lists('HSET', added)
  write_lists('ZADD', ranked)
  write_lists('ZREM', gone)
  write_hashes(false)
  write_sets(false)
  write_sets(true)
  write_hashes(true)
  write_sums()
  forget_staged()
end

local news_number -- of the news of this call, where it was taken with the numbers of publications

local function names_of(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  return list
end

-- The news as JSON and, behind a line break, the results that are small: `r` has their lengths, in the order of `t`.
-- Whoever waits for one of these need not ask, which is a quarter of a round trip.
local MOST_TOLD, MOST_OF_ALL = 1024, 65536

local function with_results(news)
  if not news.t or not next(told_results) then
    return cjson.encode(news)
  end
  local sizes, blobs, left = {}, {}, MOST_OF_ALL
  for i, task in ipairs(news.t) do
    local result = told_results[task]
    sizes[i] = -1
    if result and #result <= math.min(MOST_TOLD, left) then
      sizes[i], blobs[#blobs + 1], left = #result, result, left - #result
    end
  end
  news.r = sizes
  return cjson.encode(news) .. '\n' .. table.concat(blobs)
end

-- Tell those who listen, once for the whole batch: the number of the news, which is all that its own store reads, and
-- the news. News and publications are counted as one, in 'seq', with gaps. The queues go back to the caller, too.
local function tell(channel, origin)
  local queues, tasks, channels = names_of(told_queues), names_of(told_tasks), names_of(told_channels)
  if #queues > 0 or #tasks > 0 or #channels > 0 then
    local number = news_number or call('HINCRBY', NUMBERS, 'seq', 1)
    local news = {}
    if #tasks > 1000 then
      news.e = true
    else
      news.q = #queues > 0 and queues or nil
      news.t = #tasks > 0 and tasks or nil
      news.c = #channels > 0 and channels or nil
    end
    call('PUBLISH', channel, origin .. text_of(number) .. '\n' .. with_results(news))
    told_results = {}
  end
  return queues
end
