-- The changes of a batch: [id or false, counter, nonce, number, write, ...]. ARGV[4] has them in their order, each behind
-- a letter: P a publish and S an end, packed, and J one that is the next in ARGV[5], a list as JSON.

local function read_publish(text, at)
  local id, queue, name, priority, blob, delay, behind = struct.unpack('>I4c0I4c0I4c0BI4i8', text, at)
  return { false, 0, '', 0, { 'P', id, queue, name, priority, blob, delay, false, false, false } }, behind
end

local function read_end(text, at)
  local id, nonce, state, counter, number, blob, behind = struct.unpack('>I4c0I4c0I4c0I4I4I4', text, at)
  return { id, counter, nonce, number, { 'S', state, false, false, blob > 0 and blob } }, behind
end

local READ = { [80] = read_publish, [83] = read_end } -- by the byte of the letter

local function read_changes()
  local list, text, at = {}, ARGV[4], 1
  local others, taken = ARGV[5] ~= '' and cjson.decode(ARGV[5]), 0
  while at <= #text do
    local read = READ[text:byte(at)]
    if read then
      list[#list + 1], at = read(text, at + 1)
    else
      taken, at = taken + 1, at + 1
      list[#list + 1] = others[taken]
    end
  end
  return list
end
