-- Leases not renewed in time, and those that end later than they can. ARGV: time.
-- Answers six values for each: id, counter, nonce, end, length, whether it is expired.
-- A call whose leases turn out to be fresh is indexed anew, so that it is looked at once until it may be suspect again.

local MOST = 1000
local answer = {}

local function tell_suspect(id, row)
  for _, value in ipairs({ id, row.fence, row.nonce, row.lease_until, row.lease, row.lease_until <= now and 1 or 0 }) do
    answer[#answer + 1] = value
  end
end

local function examine(nonce)
  local first, last = LATEST, 0
  for _, id in ipairs(given_before(nonce)) do
    local row = rows[id]
    first, last = math.min(first, suspect_at(row)), math.max(last, renewed_at(row))
    if suspect_at(row) <= now or renewed_at(row) > now then
      tell_suspect(id, row)
    end
  end
  rank(LEASED, nonce, first)
  rank(RENEWED, nonce, last)
end

local seen = {}

local function examine_all(nonces)
  for _, nonce in ipairs(nonces) do
    if not seen[nonce] and #answer < 6 * MOST then
      seen[nonce] = true
      examine(nonce)
    end
  end
end

examine_all(call('ZRANGEBYSCORE', LEASED, '-inf', now, 'LIMIT', 0, MOST))
examine_all(call('ZRANGEBYSCORE', RENEWED, '(' .. text_of(now), '+inf', 'LIMIT', 0, MOST))
flush()
return answer
