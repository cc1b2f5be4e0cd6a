-- A batch of changes, one after the other. ARGV: time, channel, origin, the changes (see reading.lua), their bytes.
-- A write begins with its letter: P and L publish, L with what it is tied to.
-- Answers: a letter for each change, the details of those that have some as JSON, the queues to tell of, and the tasks
-- that ended besides those that the changes name.

local runs = read_runs()
local others = ARGV[5] ~= '' and cjson.decode(ARGV[5]) or {}

local PLAIN = { P = true, S = true, G = true, T = true, R = true } -- nothing can be said against these but by the lease
local OF_TASKS = { P = true, L = true, C = true, Y = true, D = true }
local ENDS = { S = true, G = true }

local function is_plain(change)
  for i = 5, #change do
    if not PLAIN[change[i][1]] then
      return false
    end
  end
  return true
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

local function apply_all(change, row)
  for i = 5, #change do
    local write = change[i]
    if write[1] == 'P' or write[1] == 'L' then
      local letter, holder = publish(write, #change == 5)
      if letter == 'D' then
        return letter, holder
      end
    elseif PLAIN[write[1]] then
      apply_leased(change[1], row, write, change[4])
    else
      apply_rare(write)
    end
    if #following > 0 then
      know_ties()
      follow_up()
    end
  end
  return 'A'
end

local function apply(change)
  local id = change[1]
  local row = id and find(id)
  if id and not (row and row.lease_until > 0 and row.nonce == change[3] and row.fence == change[2]) then
    return not_held(change, row)
  end
  if (#change > 5 or not PLAIN[change[5][1]]) and not is_plain(change) then
    know_ties()
    local letter, detail = objection(change)
    if letter then
      return letter, detail
    end
  end
  return apply_all(change, row)
end

local function add_named(change, ids) -- the tasks that a change names; how many it publishes
  local new = 0
  ids[#ids + 1] = change[1] or nil
  for i = 5, #change do
    local kind = change[i][1]
    if OF_TASKS[kind] then
      ids[#ids + 1] = change[i][2]
    end
    if kind == 'P' or kind == 'L' then
      new = new + 1
    end
  end
  return new
end

local function add_run(run, ids) -- the same of a run
  local count, first, step = unpack(run, 6, 8)
  for i = 0, count - 1 do
    ids[#ids + 1] = ARGV[BLOBS + first + i * step]
  end
  return run[1] == 'P' and count or 0
end

local function prefetch() -- the rows that the changes name, and numbers for what is new, with one command each
  local ids, new = {}, 0
  for _, run in ipairs(runs) do
    if run[1] ~= 'J' then
      new = new + add_run(run, ids)
    end
  end
  for _, change in ipairs(others) do
    new = new + add_named(change, ids)
  end
  load(ids)
  number_publications(new)
end

local letters, details, taken = {}, {}, 0

local function apply_one(change)
  local letter, detail = apply(change)
  details[#details + 1] = detail
  return letter
end

local RUN = {} -- by the letter of a run: apply it, and give the letters of its changes

function RUN.P(run)
  if #runs > 1 or not hand_over(run) then
    publish_run(run)
  end
  return ('A'):rep(run[6])
end

function RUN.S(run)
  return end_run(run, apply_one)
end

function RUN.J(run)
  local list = {}
  for i = 1, run[6] do
    list[i] = apply_one(others[taken + i])
  end
  taken = taken + run[6]
  return table.concat(list)
end

prefetch()
for i, run in ipairs(runs) do
  letters[i] = RUN[run[1]](run)
end
flush()
send_handed()
if has_come_out then
  tidy()
end
if begun and call('EXISTS', WORK) == 1 then
  go_on('r', MOST_VISITED)
end
local queues = tell(ARGV[2], ARGV[3])
return { table.concat(letters), #details > 0 and cjson.encode(details) or '', queues, besides }
