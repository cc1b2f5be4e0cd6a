-- Outcomes: the latest generation of a task under its name, and each generation under both.

local function outcome_at(task, generation)
  return named(task) .. struct.pack('>I8', generation)
end

local function latest_of(task)
  local raw = hashes[OUTCOMES] and hashes[OUTCOMES][named(task)] or call('HGET', OUTCOMES, named(task))
  return raw and (struct.unpack('>I8', raw))
end
