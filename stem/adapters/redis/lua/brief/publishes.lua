-- The ordinary life of a task begins: of a run of publishes, nothing is read but whether each is known.

local function new_of(first, count) -- where the bytes of those begin that are not known, each once; their numbers
  local new, numbers = {}, {}
  for at = BLOBS + first, BLOBS + first + 3 * count - 1, 3 do
    if not raws[ARGV[at]] then
      seq = seq + 1
      new[#new + 1] = at
      numbers[#new] = struct.pack('>I8', seq)
      raws[ARGV[at]] = '' -- to come
    end
  end
  return new, numbers
end

local function store_new(new, numbers, due)
  local stored, bodies = part_of(added, ROWS), part_of(added, BODIES)
  local stamp = stamp_row('', 0, now, now, 0, due):sub(9)
  for i, at in ipairs(new) do
    local id, raw = ARGV[at], numbers[i] .. stamp .. ARGV[at + 1]
    raws[id], rows[id] = raw, nil
    stored[#stored + 1] = id
    stored[#stored + 1] = raw
    bodies[#bodies + 1] = id
    bodies[#bodies + 1] = ARGV[at + 2]
  end
end

local function line_up(new, numbers, line, before)
  local lined, all, first = part_of(ranked, line), part_of(ranked, ALL), seq - #new
  for i, at in ipairs(new) do
    local id = ARGV[at]
    lined[#lined + 1] = '0'
    lined[#lined + 1] = before .. numbers[i] .. id
    all[#all + 1] = first + i
    all[#all + 1] = id
  end
end

local function publish_run(run)
  local queue, name, priority, delay, count, first = unpack(run, 2, 7)
  local due = cut(now + delay)
  local new, numbers = new_of(first, count)
  if #new == 0 then
    return
  end
  store_new(new, numbers, due)
  if due > now then
    line_up(new, numbers, LATER, before_later(queue, due, 0, priority))
  else
    line_up(new, numbers, READY, before_ready(queue, priority, due))
  end
  add(NAMES, name, #new)
  tally(QUEUED, queue, #new)
  told_queues[queue] = true
end
