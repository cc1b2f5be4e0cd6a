-- The ordinary life of a task begins: nothing of it is read, and only what gives it its place is known.

local function place_of_run(queue, priority, due) -- in line, before the number and the id
  local low = 255 - priority
  if due > now then
    return LATER, struct.pack('>I4c0I8BB', #queue, queue, due, 0, low)
  end
  return READY, struct.pack('>I4c0BI8', #queue, queue, low, due)
end

local function publish_run(run)
  local queue, name, priority, delay, count, first = unpack(run, 2, 7)
  local due = cut(now + delay)
  local stamp = struct.pack('>i8i8i8i8', now, now, 0, due)
  local line, place = place_of_run(queue, priority, due)
  local lined, stored, bodies, all = part_of(ranked, line), part_of(added, ROWS), part_of(added, BODIES), part_of(ranked, ALL)
  local new = 0
  for at = BLOBS + first, BLOBS + first + 3 * count - 1, 3 do
    local id = ARGV[at]
    if not raws[id] then
      seq = seq + 1
      local number = struct.pack('>i8', seq)
      local raw, size, place_in_all = number .. stamp .. ARGV[at + 1], #stored, #all
      raws[id], rows[id] = raw, nil
      stored[size + 1], stored[size + 2] = id, raw
      bodies[#bodies + 1] = id
      bodies[#bodies + 1] = ARGV[at + 2]
      all[place_in_all + 1], all[place_in_all + 2] = seq, id
      lined[#lined + 1] = '0'
      lined[#lined + 1] = place .. number .. id
      new = new + 1
    end
  end
  if new > 0 then
    add(NAMES, name, new)
    tally(QUEUED, queue, new)
    told_queues[queue] = true
  end
end
