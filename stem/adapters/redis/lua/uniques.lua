-- Unique keys: the time until which the key is held (0: until its holder ends), then the holder's id.

local function holder_of(key, besides)
  local staged = hashes[UNIQUES] and hashes[UNIQUES][key]
  local found = staged
  if staged == nil then
    found = call('HGET', UNIQUES, key)
  end
  if not found then
    return nil
  end
  local till = struct.unpack('>I8', found)
  local id = found:sub(9)
  if id == besides or (till > 0 and till <= now) then
    return nil
  end
  return id
end

local function take_key(id, row)
  if row.is_unique == 0 then
    return
  end
  local till = 0
  if row.lifetime >= 0 then
    till = cut(now + row.lifetime)
    rank(OVER, 'u' .. row.key, till)
  end
  put(UNIQUES, row.key, struct.pack('>I8', till) .. id)
end

local function free_key(id, row)
  if row.is_unique == 1 and row.lifetime < 0 and not holder_of(row.key, id) then
    put(UNIQUES, row.key, false)
  end
end
