-- What leases that are alike have in common, from the numbers of the lease to its worker: see rows.py.

local function life_of(length, started, alone, lease) -- with the nonce and the worker of the lease
  local till = cut(now + length)
  first_suspect = math.min(first_suspect, till - length + suspect_after(length))
  local live = struct.pack(LIVE, length, till, started * now, 0, 0, 0, NEVER, 0, started, 0, alone)
  return live .. HELD_ONCE .. named(RUNNING) .. named(lease.nonce) .. named('') .. named(lease.worker)
end
