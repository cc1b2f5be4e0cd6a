-- Record revocations. ARGV: time, a list as JSON of id, version, end (LATEST for none), text.
-- Answers the text that holds for each. A revocation is kept as its version, its end and its text.

local function listed(version, id)
  return 'r' .. sortable(version) .. id
end

local function held(id)
  local found = hashes[REVOCATIONS] and hashes[REVOCATIONS][id] or call('HGET', REVOCATIONS, id)
  if found then
    local version, ends, at = struct.unpack('>i8I8', found)
    return { version = version, ends = ends, text = found:sub(at) }
  end
end

local function record(id, version, ends, text)
  put(REVOCATIONS, id, struct.pack('>i8I8', version, ends) .. text)
  rank(ORDER, listed(version, id), 0)
  rank(OVER, 'r' .. id, ends < LATEST and ends)
end

local answer = {}
for i, asked in ipairs(cjson.decode(ARGV[2])) do
  local id, version = asked[1], asked[2]
  local before = held(id)
  if before and before.ends > now and before.version >= version then
    answer[i] = before.text
  else
    if before then
      rank(ORDER, listed(before.version, id), false)
    end
    record(unpack(asked))
    answer[i] = asked[4]
  end
end
flush()
return answer
