-- Extend leases in place. ARGV: time, the renewals as JSON. Answers a letter for each: kept, lost, cancel, terminate.

local renewals = cjson.decode(ARGV[2])
local ids, letters = {}, {}
for i, renewal in ipairs(renewals) do
  ids[i] = renewal[1]
end
fetch(ids)

local nonces = {}

-- A lease renewed for a shorter time may become suspect before its call is looked at again.
local function shorter(row, length)
  if length < row.lease then
    rank(LEASED, row.nonce, 0)
  end
end

for i, renewal in ipairs(renewals) do
  local id, row = renewal[1], rows[renewal[1]]
  if row and row.lease_until > 0 and row.fence == renewal[2] and row.nonce == renewal[3] then
    shorter(row, renewal[4])
    row.lease, row.lease_until = renewal[4], cut(now + renewal[4])
    changed[id] = true
    nonces[row.nonce] = true
    letters[i] = row.terminate == 1 and 'T' or row.cancel == 1 and 'C' or 'K'
  else
    letters[i] = 'L'
  end
end
for nonce in pairs(nonces) do
  rank(RENEWED, nonce, math.max(now, tonumber(call('ZSCORE', RENEWED, nonce) or 0)))
end
flush()
return table.concat(letters)
