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
 * A tenant's part of a cap that is divided over several accounts, in two steps. After the shared seven: tenant,
 * generation, and for the second step the part (recipients per 24 h; -1 = none), rate num (0 = none) and den. The first
 * step takes the lease over for a generation, which must be newer than every one before; the second sets it, and is
 * refused once a newer generation came. Answers OLD and that generation (0 without a ledger, or while it is rebuilt), or OK,
 * what the tenant used here, its part, and what the larger of the two messages that come next in its lists costs (0 = none
 * waits).
 */
export const LEASE = `${PRELUDE}
local tenant, generation = ARGV[8], tonumber(ARGV[9])
local hash = P .. 't:' .. tenant
-- Until it is rebuilt nobody knows what the tenant used here, and the other accounts must not be given it.
if redis.call('EXISTS', LED) == 0 or field('pending') > 0 then return {'OLD', '0'} end
local stored = tonumber(redis.call('HGET', hash, 'lgen') or '0')
local now = ledgerNow(field('last'))
local function known()
  local v = redis.call('HMGET', hash, 'lease', 'lat')
  return partOf(v[1], v[2], now)
end
if ARGV[10] then
  if stored == 0 or stored ~= generation then return {'OLD', int(stored)} end
  local was, part = known(), tonumber(ARGV[10])
  redis.call('HSET', hash, 'lease', ARGV[10], 'lnum', ARGV[11], 'lden', ARGV[12], 'lat', int(now))
  if was >= 0 and (part < 0 or part > was) then letGo(tenant) end
else
  if stored >= generation then return {'OLD', int(stored)} end
  redis.call('SADD', P .. 'tenants', tenant)
  redis.call('HSET', hash, 'lgen', int(generation))
end
local sum, next = expireTenant(tenant, now), 0
for _, class in ipairs({'tx', 'mk'}) do
  local head = redis.call('LINDEX', P .. 'l:' .. class .. ':' .. tenant, 0)
  if head then next = math.max(next, costOf(head)) end
end
return {'OK', int(sum), int(known()), int(next)}
`;
