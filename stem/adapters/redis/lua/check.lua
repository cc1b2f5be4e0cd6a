-- Why a change is not applied, found before its first write. A write may rest on those before it in the change, which
-- are not done yet: `coming` has what they will have brought.

local CHECKS = {} -- by the letter of a write: the code and the detail of a refusal

local function is_task(id, coming)
  return coming.tasks[id] or find(id)
end

local function coming_group(id, coming) -- as it will be
  local plan = coming.groups[id]
  if not plan then
    local group = find_group(id)
    plan = group and { size = group.size, filled = group.filled, is_open = group.state == OPEN, places = {} }
    coming.groups[id] = plan or nil
  end
  return plan
end

local function no_task(id)
  return 'unknown_id', 'no task ' .. id
end

local function no_group(id)
  return 'unknown_id', 'no group ' .. id
end

local function check_after(after, coming)
  local kind, id = unpack(after)
  if kind == 'task' and not is_task(id, coming) then
    return no_task(id)
  elseif kind == 'group' and not coming_group(id, coming) then
    return no_group(id)
  end
end

local function check_member(member, coming)
  local id, place = unpack(member)
  local plan = coming_group(id, coming)
  if not plan then
    return no_group(id)
  elseif not plan.is_open then
    return 'rejected', 'the group ' .. id .. ' is sealed'
  elseif place and place >= plan.size then
    return 'rejected', 'the group ' .. id .. ' has ' .. plan.size .. ' places'
  elseif place and (plan.places[place] or holder_of_place(id, place)) then
    return 'rejected', 'the place ' .. place .. ' of the group ' .. id .. ' is taken'
  elseif place then
    plan.places[place] = true
    plan.filled = plan.filled + 1
  end
end

function CHECKS.P(write, coming)
  local id, after, member = write[2], write[11], write[12]
  if is_task(id, coming) then
    return nil
  end
  coming.tasks[id] = true
  local code, detail
  if after then
    code, detail = check_after(after, coming)
  end
  if member and not code then
    code, detail = check_member(member, coming)
  end
  return code, detail
end

CHECKS.L = CHECKS.P

function CHECKS.C(write, coming)
  if not is_task(write[2], coming) then
    return no_task(write[2])
  end
end

function CHECKS.D(write)
  if not find(write[2]) then
    return no_task(write[2])
  end
end

local function check_upstream(id, row, coming) -- of a continuation that is to wait again
  local kind, upstream = unpack(head_of(id, row).after)
  if coming.tasks[upstream] then
    return nil
  end
  if not (kind == 'task' and find or find_group)(upstream) then
    return 'unknown_id', 'no ' .. kind .. ' ' .. upstream
  end
  local is_met, state = ending_of(kind, upstream)
  if is_met == false then
    return 'invalid_transition', kind .. ' ' .. upstream .. ' is ' .. state
  end
end

function CHECKS.Y(write, coming)
  local id, row = write[2], find(write[2])
  if not row then
    return no_task(id)
  elseif is_later(row, write[3]) then
    return nil
  elseif not REPLAYABLE[row.state] then
    return 'invalid_transition', 'the task is ' .. row.state
  end
  local holder = row.is_unique == 1 and holder_of(row.key, id)
  if holder then
    return 'duplicate', 'duplicate of ' .. holder
  elseif row.follows == 1 then
    local code, detail = check_upstream(id, row, coming)
    if code then
      return code, detail
    end
  end
  coming.tasks[id] = true
end

function CHECKS.O(write, coming)
  if not coming_group(write[2], coming) then
    coming.groups[write[2]] = { size = write[3], filled = 0, is_open = true, places = {} }
  end
end

function CHECKS.E(write, coming)
  local plan = coming_group(write[2], coming)
  if not plan then
    return no_group(write[2])
  elseif plan.is_open and plan.filled < plan.size then
    return 'rejected', 'the group ' .. write[2] .. ' has ' .. plan.size - plan.filled .. ' empty places'
  end
  plan.is_open = false
end

function CHECKS.F(write)
  if not schedule_of(write[2]) then
    return 'unknown_id', 'no schedule ' .. write[2]
  end
end

local function refusal(change)
  local coming = { tasks = {}, groups = {} }
  for i = 5, #change do
    local judge = CHECKS[change[i][1]]
    if judge then
      local code, detail = judge(change[i], coming)
      if code then
        return code, detail
      end
    end
  end
end

-- A schedule that is not due at the time that is expected: 'A' where this very firing was applied before.
local function not_due(change)
  for i = 5, #change do
    local write = change[i]
    local entry = write[1] == 'F' and schedule_of(write[2])
    if entry and not (entry.enabled and entry.next == write[3]) then
      return entry.last == write[3] and 'A' or 'F'
    end
  end
end

local function objection(change) -- the verdict, and the refusal, where there is one
  local letter = not_due(change)
  if letter then
    return letter
  end
  local code, detail = refusal(change)
  if code then
    return 'R', { code, detail }
  end
end
