-- The writes that concern no single task: of groups, and of schedules.

local function open(write)
  open_group(unpack(write, 2))
end

local function seal(write)
  local group = find_group(write[2])
  if group.state ~= OPEN then
    return
  end
  group.state, group.cursor = SEALED, ''
  groups_changed[group.id] = true
  rank(OVER, 'g' .. group.id, false)
  rank(WORK, 'r' .. group.id, 0)
  decide(group)
end

local function fire(write) -- letter, schedule, expected, next
  local entry = schedule_of(write[2])
  entry.last, entry.next = write[3], write[4]
  put_schedule(write[2], entry)
end

local RARE = { C = cancel, Y = replay, D = discard, O = open, E = seal, F = fire }

local function apply_rare(write)
  RARE[write[1]](write)
end
