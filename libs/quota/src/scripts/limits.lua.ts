import { PRELUDE } from './prelude.lua';

/**
 * The warm-up caps of an account's lanes; a lane that is not named has none any more. After the shared seven: triples
 * lane, recipients per rolling day, per rolling hour (-1 = no cap).
 */
export const LANES = `${PRELUDE}
local named = {}
for i = 8, #ARGV, 3 do
  named[ARGV[i]] = true
  redis.call('SADD', P .. 'lanes', ARGV[i])
  redis.call('HSET', P .. 'n:' .. ARGV[i], 'day', ARGV[i + 1], 'hour', ARGV[i + 2])
end
for _, lane in ipairs(redis.call('SMEMBERS', P .. 'lanes')) do
  if not named[lane] then
    redis.call('SREM', P .. 'lanes', lane)
    redis.call('DEL', P .. 'n:' .. lane, P .. 'nr:' .. lane)
  end
end
return 1
`;

/** Replaces what a lane used. After the shared seven: lane, then pairs bucket, recipients. Answers 0 for an unknown lane. */
export const CHARGE_LANE = `${PRELUDE}
local lane = ARGV[8]
if redis.call('SISMEMBER', P .. 'lanes', lane) == 0 or redis.call('EXISTS', LED) == 0 then return 0 end
local now = ledgerNow(field('last'))
local first, hfirst, current, sum, hsum = firstBucket(now), bucketOf(now) - HOUR + 1, bucketOf(now), 0, 0
redis.call('DEL', P .. 'nr:' .. lane)
for i = 9, #ARGV, 2 do
  local bucket, used = math.min(current, tonumber(ARGV[i])), tonumber(ARGV[i + 1])
  if bucket >= first and used > 0 then
    charge(P .. 'nr:' .. lane, N, bucket, used)
    sum = sum + used
    if bucket >= hfirst then hsum = hsum + used end
  end
end
redis.call('HSET', P .. 'n:' .. lane, 'sum', int(sum), 'tail', int(first), 'hsum', int(hsum), 'htail', int(hfirst))
return 1
`;

/**
 * Tenants' parts of caps that are divided over several accounts, in two steps. After the shared seven: generation, TAKE and tenants, or
 * SET and fours of tenant, its part (recipients per 24 h; -1 = none), rate num (0 = none) and den. TAKE takes the lease
 * over for a generation, which must be newer than every one before; SET sets it, and is refused once a newer generation came.
 * Answers for each tenant OLD and that generation (0 without a ledger, or while it is rebuilt), or OK, what the tenant used here, its
 * part, and what the larger of the two messages that come next in its lists costs (0 = none waits).
 */
export const LEASES = `${PRELUDE}
local generation, sets, out = tonumber(ARGV[8]), ARGV[9] == 'SET', {}
-- Until it is rebuilt nobody knows what a tenant used here, and the other accounts must not be given it.
local unknown = redis.call('EXISTS', LED) == 0 or field('pending') > 0
local now = unknown and 0 or ledgerNow(field('last'))
local function leaseOf(tenant, part, num, den)
  if unknown then return {'OLD', '0'} end
  local hash = P .. 't:' .. tenant
  local v = redis.call('HMGET', hash, 'lgen', 'lease', 'lat', 'sum', 'tail')
  local stored, held = tonumber(v[1] or '0'), partOf(v[2], v[3], now)
  if sets then
    if stored == 0 or stored ~= generation then return {'OLD', int(stored)} end
    redis.call('HSET', hash, 'lease', part, 'lnum', num, 'lden', den, 'lat', int(now))
    local was = held
    held = tonumber(part)
    if was >= 0 and (held < 0 or held > was) then letGo(tenant) end
  else
    if stored >= generation then return {'OLD', int(stored)} end
    redis.call('SADD', P .. 'tenants', tenant)
    redis.call('HSET', hash, 'lgen', int(generation))
  end
  local sum, next = expireTenantOf(tenant, now, v[4], v[5]), 0
  for _, class in ipairs({'tx', 'mk'}) do
    local head = redis.call('LINDEX', P .. 'l:' .. class .. ':' .. tenant, 0)
    if head then next = math.max(next, costOf(head)) end
  end
  return {'OK', int(sum), int(held), int(next)}
end
for i = 10, #ARGV, sets and 4 or 1 do out[#out + 1] = leaseOf(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
return out
`;
