import { PRELUDE } from './prelude.lua';

/**
 * Ends a grant. After the shared six: op id, how long refused recipients stay charged (ms), then triples
 * tenant, recipients to give back at once, recipients to give back later. Answers 1, or 0 when already ended.
 */
export const SETTLE = `${PRELUDE}
local OP, KEEP = ARGV[7], tonumber(ARGV[8])
local stored = redis.call('HGET', P .. 'grants', OP)
if not stored then return 0 end
local g = cjson.decode(stored)
redis.call('HDEL', P .. 'grants', OP)
redis.call('ZREM', P .. 'inflight', OP)
-- Until here the ids counted as known, so that nobody offered again what was on its way.
for _, entry in ipairs(g.ids) do redis.call('SREM', P .. 'known', string.match(entry, '^[^:]+:([^:]+):')) end
local now = ledgerNow()
expireAccount(now)
local left = g.cost
for i = 9, #ARGV, 3 do
  local tenant = ARGV[i]
  expireTenant(tenant, now)
  local back = math.min(left, tonumber(ARGV[i + 1]))
  left = left - back
  if back > 0 then uncharge(tenant, g.bucket, back) end
  local later = math.min(left, tonumber(ARGV[i + 2]))
  left = left - later
  if later > 0 then
    redis.call('ZADD', P .. 'late', int(math.floor(now / 1000) + KEEP), OP .. '|' .. tenant .. '|' .. int(g.bucket) .. '|' .. int(later))
  end
end
return 1
`;

/**
 * A new slot for the rest of a batch that is late: rate only, the day is charged already. After the shared six:
 * op id, epoch, run id, recipients, slot life (ms), oldest grant that may move (ms). Answers the slot or GONE.
 */
export const RESLOT = `${PRELUDE}
local OP, COST, LIFE, OLDEST = ARGV[7], tonumber(ARGV[10]), tonumber(ARGV[11]) * 1000, tonumber(ARGV[12]) * 1000
local led = redis.call('HMGET', LED, 'epoch', 'runid', 'num', 'den', 'tat', 'frozen')
if not led[1] or led[1] ~= ARGV[8] or led[2] ~= ARGV[9] then return {'GONE'} end
local stored = redis.call('HGET', P .. 'grants', OP)
if not stored then return {'GONE'} end
local now = ledgerNow()
local g = cjson.decode(stored)
local num, den = tonumber(led[3]), tonumber(led[4])
local grantedAt = tonumber(g.at)
if now > grantedAt + OLDEST or now < tonumber(led[6] or '0') * 1000 or num <= 0 then return {'GONE'} end
local t0 = math.max(tonumber(led[5]), now + 2000)
if t0 > grantedAt + OLDEST then return {'GONE'} end
local finish = math.ceil(t0 + COST * 1000000 * den / num)
local deadline = math.min(finish, grantedAt + OLDEST) + LIFE
g.deadline = int(deadline)
redis.call('HSET', LED, 'tat', int(finish))
redis.call('HSET', P .. 'grants', OP, cjson.encode(g))
redis.call('ZADD', P .. 'inflight', ms(deadline), OP)
return {'SLOT', int(now), int(t0), int(deadline)}
`;

/**
 * What GetAccount said. After the shared six: epoch, q (-1 = unlimited), rate num, den, recipients SES counted.
 * What SES counted beyond what this ledger granted was sent by somebody else and takes room away.
 */
export const OBSERVE = `${PRELUDE}
if redis.call('HGET', LED, 'epoch') ~= ARGV[7] then return {'STALE'} end
local now = ledgerNow()
local sum = expireAccount(now)
local ext = math.max(0, tonumber(ARGV[11]) - sum)
redis.call('HSET', LED, 'q', ARGV[8], 'num', ARGV[9], 'den', ARGV[10], 'ext', int(ext))
return {'OK', int(sum), int(ext)}
`;

/** Nothing is granted until then. After the shared six: until (ms), 1 to replace a later time as well. */
export const FREEZE = `${PRELUDE}
local wanted, current = tonumber(ARGV[7]), field('frozen')
if redis.call('EXISTS', LED) == 0 then return int(0) end
if ARGV[8] == '1' or wanted > current then
  redis.call('HSET', LED, 'frozen', int(wanted))
  return int(wanted)
end
return int(current)
`;

/**
 * Replaces an account's ledger, closed (epoch 0) until OPEN. After the shared six: epoch, run id, q, num, den,
 * recipients SES counted, pause of the rate clock (us), then pairs bucket, recipients. Refuses an older epoch.
 */
export const REBUILD = `${PRELUDE}
local known = math.max(field('epoch'), field('pending'))
if known >= tonumber(ARGV[7]) then return 0 end
for _, tenant in ipairs(redis.call('SMEMBERS', P .. 'tenants')) do
  redis.call('DEL', P .. 't:' .. tenant, P .. 'r:' .. tenant, P .. 'l:tx:' .. tenant, P .. 'l:mk:' .. tenant)
end
for _, key in ipairs({'ring', 'inflight', 'grants', 'late', 'known', 'tenants', 'q:tx', 'q:mk', 'park:tx', 'park:mk', 'fin:tx', 'fin:mk'}) do
  redis.call('DEL', P .. key)
end
redis.call('DEL', LED)
local now = engineUs()
local first, sum = bucketOf(now) - N + 1, 0
for i = 14, #ARGV, 2 do
  local bucket, used = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if bucket >= first and used > 0 then
    redis.call('HINCRBY', P .. 'ring', int(bucket), int(used))
    sum = sum + used
  end
end
redis.call('HSET', LED, 'epoch', '0', 'pending', ARGV[7], 'runid', ARGV[8], 'q', ARGV[9], 'num', ARGV[10], 'den', ARGV[11],
  'ext', int(math.max(0, tonumber(ARGV[12]) - sum)), 'tat', int(now + tonumber(ARGV[13])), 'sum', int(sum), 'tail', int(first),
  'last', int(now), 'frozen', '0', 'vtx', '0', 'vmk', '0', 'credit', '0')
return 1
`;

/** Writes what a tenant used before a rebuild. After the shared six: pending epoch, tenant, then pairs bucket, recipients. */
export const CHARGE_TENANT = `${PRELUDE}
if redis.call('HGET', LED, 'pending') ~= ARGV[7] then return 0 end
local tenant, first, sum = ARGV[8], bucketOf(engineUs()) - N + 1, 0
redis.call('SADD', P .. 'tenants', tenant)
redis.call('DEL', P .. 'r:' .. tenant)
for i = 9, #ARGV, 2 do
  local bucket, used = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if bucket >= first and used > 0 then
    redis.call('HINCRBY', P .. 'r:' .. tenant, int(bucket), int(used))
    sum = sum + used
  end
end
redis.call('HSET', P .. 't:' .. tenant, 'sum', int(sum), 'tail', int(first))
return 1
`;

/** Lets a rebuilt ledger grant. After the shared six: epoch. */
export const OPEN = `${PRELUDE}
if redis.call('HGET', LED, 'pending') ~= ARGV[7] then return 0 end
redis.call('HDEL', LED, 'pending')
redis.call('HSET', LED, 'epoch', ARGV[7])
return 1
`;

/** Everything an operator or a wait estimate asks, as pairs; read only but for time. */
export const STATS = `${PRELUDE}
if redis.call('EXISTS', LED) == 0 then return '{}' end
local now = engineUs()
local v = redis.call('HMGET', LED, 'epoch', 'runid', 'q', 'num', 'den', 'tat', 'sum', 'tail', 'frozen', 'ext')
local sum, first = tonumber(v[7]), bucketOf(now) - N + 1
-- The sum as it will be once the next grant has dropped old buckets; nothing is written here.
local tail = tonumber(v[8])
if first - tail >= N then sum = 0 else
  for b = tail, first - 1 do sum = sum - tonumber(redis.call('HGET', P .. 'ring', int(b)) or '0') end
end
local ready = {}
for _, class in ipairs({'tx', 'mk'}) do
  for _, key in ipairs({'q:', 'park:'}) do
    for _, tenant in ipairs(redis.call('ZRANGE', P .. key .. class, 0, -1)) do
      ready[#ready + 1] = { tenant, class, redis.call('LLEN', P .. 'l:' .. class .. ':' .. tenant), key == 'park:' }
    end
  end
end
return cjson.encode({ now = int(now), epoch = v[1], runid = v[2], q = v[3], num = v[4], den = v[5], tat = v[6], sum = int(sum),
  frozen = v[9], ext = v[10], inflight = redis.call('ZCARD', P .. 'inflight'), ready = #ready > 0 and ready or false })
`;

/** Grants whose time is over and that nobody settled. After the shared six: at most how many. Answers op ids and grants. */
export const OVERDUE = `${PRELUDE}
local out = {}
for _, op in ipairs(redis.call('ZRANGEBYSCORE', P .. 'inflight', '-inf', ms(engineUs()), 'LIMIT', 0, tonumber(ARGV[7]))) do
  out[#out + 1] = op
  out[#out + 1] = redis.call('HGET', P .. 'grants', op) or ''
end
return out
`;

/**
 * A short lock by name, kept alive by its holder: it only avoids wasted calls, nothing relies on it for safety.
 * After the shared six: name, holder, life (ms of real time). Answers 1 when the holder has it now.
 */
export const HOLD = `${PRELUDE}
local key = P .. 'lock:' .. ARGV[7]
local holder = redis.call('GET', key)
if holder and holder ~= ARGV[8] then return 0 end
redis.call('SET', key, ARGV[8], 'PX', ARGV[9])
return 1
`;
