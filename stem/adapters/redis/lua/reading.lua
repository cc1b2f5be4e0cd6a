-- A batch is runs of changes that are alike. ARGV[4] has for each: its letter, two texts, two numbers, how many they
-- are, where their bytes begin, and how many arguments each brings:
--   P   publishes: queue, name, priority, delay; each brings id, row, envelope
--   S   ends of leases: nonce, state, counter, number; each brings id, result, or only the id
--   J   others, the next of ARGV[5], a list as JSON: [id or false, counter, nonce, number, write, ...]

local BLOBS = 5 -- the arguments before the bytes of a commit

local function read_runs()
  local list, text, at = {}, ARGV[4], 1
  while at <= #text do
    local letter, one, two, number, other, count, first, step, behind = struct.unpack('>c1I4c0I4c0i8i8I4I4B', text, at)
    list[#list + 1] = { letter, one, two, number, other, count, first, step }
    at = behind
  end
  return list
end

local function change_of(run, at) -- an end, as the others are written
  local nonce, state, counter, number = unpack(run, 2, 5)
  return { ARGV[BLOBS + at], counter, nonce, number, { 'S', state, false, false, run[8] == 2 and at + 1 } }
end
