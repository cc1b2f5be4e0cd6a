-- Locks: until when and under which fence one is held, then its owner.

local function held(key)
  local raw = call('HGET', LOCKS, key)
  local till, fence = struct.unpack('>I8I8', raw or ('\0'):rep(16))
  if till > now then
    return { owner = raw:sub(17), fence = fence, till = till }
  end
end

local function keep(key, lock, ttl) -- from now on
  lock.till = cut(now + tonumber(ttl))
  put(LOCKS, key, struct.pack('>I8I8', lock.till, lock.fence) .. lock.owner)
  rank(OVER, 'l' .. key, lock.till)
  flush()
end

local function told(lock)
  return { lock.owner, lock.fence, lock.till }
end
