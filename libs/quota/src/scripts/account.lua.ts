import { FARTHEST_SLOT_MS, MOST_OWED, SLICE_AND_LEAD_MS } from '../slot-times.policy';
import { ANY_LAYOUT, PRELUDE } from './prelude.lua';

/**
 * What GetAccount said. After the shared seven: epoch, q (-1 = unlimited), rate num, den, recipients SES counted.
 * What SES counted beyond all that is charged here was sent by somebody else for certain, and is answered. But SES does not
 * count yet what is on its way, and no longer what stays charged for the guard: as much again may be somebody else's. Where
 * somebody surely sends, or did, `ext` takes that side, so that no room is granted twice; where nobody does, it takes nothing away.
 *
 * A message to many recipients goes with its first one, and SES is owed the time of the others, at the rate of now: with another one
 * the rate clock is set anew. What it is ahead by less are slots, and nobody owes anything for those.
 */
export const OBSERVE = `${PRELUDE}
if redis.call('HGET', LED, 'epoch') ~= ARGV[8] then return {'STALE'} end
local now = ledgerNow(field('last'))
local sum = expireAccount(now, field('sum'), field('tail'))
local ses, ext = tonumber(ARGV[12]), field('ext')
local certain = math.max(0, ses - sum)
if certain > 0 or ext > 0 then
  local edge, ring, first, current = edgeOf(), P .. 'rg', firstBucket(now), bucketOf(now)
  local unsure = sumOf('GET', ring, N, first, first + edge) + sumOf('GET', ring, N, current - edge + 1, current + 1)
  local most = math.max(0, ses - sum + unsure)
  ext = certain > 0 and most or math.min(ext, most)
end
local was = redis.call('HMGET', LED, 'num', 'den', 'tat')
local num, den, oldNum, oldDen = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(was[1] or '0'), tonumber(was[2] or '1')
local tat, slots = tonumber(was[3] or '0'), ${String(SLICE_AND_LEAD_MS)} * 1000 * math.max(1, SPEED)
if tat - now > slots and num > 0 and oldNum > 0 and num * oldDen ~= oldNum * den then
  local again = math.min((tat - now) * oldNum / oldDen, ${String(MOST_OWED)} * 1000000) * den / num
  -- It may not have gone yet, and what comes after it may have a slot already.
  local farthest = now + ${String(FARTHEST_SLOT_MS)} * 1000 * math.max(1, SPEED) + slots
  tat = num * oldDen < oldNum * den and math.max(tat, now + again) or math.min(tat, farthest + again)
end
redis.call('HSET', LED, 'q', ARGV[9], 'num', ARGV[10], 'den', ARGV[11], 'ext', int(ext), 'tat', int(math.ceil(tat)))
return {'OK', int(sum), int(certain)}
`;

/** Nothing is granted until then. After the shared seven: until (ms), 1 to replace a later time as well. */
export const FREEZE = `${PRELUDE}
local wanted, current = tonumber(ARGV[8]), field('frozen')
if redis.call('EXISTS', LED) == 0 then return int(0) end
if ARGV[9] == '1' or wanted > current then
  redis.call('HSET', LED, 'frozen', int(wanted))
  return int(wanted)
end
return int(current)
`;

/**
 * SES said "too fast": half the rate that is left, for two seconds, then a tenth more every second. Answers what is left,
 * in thousandths. What arrives within a second of the last cut was paced before it and cuts nothing.
 */
export const THROTTLE = `${PRELUDE}
if redis.call('EXISTS', LED) == 0 then return int(1000) end
local now = ledgerNow(field('last'))
local v = redis.call('HMGET', LED, 'factor', 'since', 'cut')
local pace = paceAt(now, tonumber(v[1] or '1000'), tonumber(v[2] or '0'))
if v[3] and now - tonumber(v[3]) < 1000000 then return int(pace) end
pace = math.max(50, math.floor(pace / 2))
redis.call('HSET', LED, 'factor', int(pace), 'since', int(now + 2000000), 'cut', int(now))
return int(pace)
`;

const EMPTY_QUEUES = `
for _, tenant in ipairs(redis.call('SMEMBERS', P .. 'tenants')) do
  redis.call('DEL', P .. 't:' .. tenant, P .. 'r:' .. tenant)
  for _, class in ipairs({'tx', 'mk'}) do
    redis.call('DEL', P .. 'l:' .. class .. ':' .. tenant)
    for s = 0, SHARDS - 1 do redis.call('DEL', P .. 'k:' .. class .. ':' .. tenant .. ':' .. s) end
  end
end
for _, key in ipairs({'rg', 'inflight', 'grants', 'late', 'tenants', 'q:tx', 'q:mk', 'park:tx', 'park:mk', 'led'}) do
  redis.call('DEL', P .. key)
end
`;

/**
 * Replaces an account's ledger, closed (epoch 0) until OPEN. After the shared seven: epoch, run id, q, num, den,
 * recipients SES counted, pause of the rate clock (us), then pairs bucket, recipients. Answers 1; 0 to an older epoch; -1
 * while the clocks disagree. Lanes stay as they are: their caps are ours, not SES's.
 */
export const REBUILD = `${PRELUDE}
local known = math.max(field('epoch'), field('pending'))
if known >= tonumber(ARGV[8]) then return 0 end
local now = engineUs()
if differs(now) then return -1 end
${EMPTY_QUEUES}
local first, current, sum = firstBucket(now), bucketOf(now), 0
for i = 15, #ARGV, 2 do
  -- What was granted while a clock was ahead counts as granted now.
  local bucket, used = math.min(current, tonumber(ARGV[i])), tonumber(ARGV[i + 1])
  if bucket >= first and used > 0 then
    charge(P .. 'rg', N, bucket, used)
    sum = sum + used
  end
end
redis.call('HSET', LED, 'epoch', '0', 'pending', ARGV[8], 'runid', ARGV[9], 'q', ARGV[10], 'num', ARGV[11], 'den', ARGV[12],
  'ext', int(math.max(0, tonumber(ARGV[13]) - sum)), 'tat', int(now + tonumber(ARGV[14])), 'sum', int(sum), 'tail', int(first),
  'last', int(now), 'frozen', '0', 'vtx', '0', 'vmk', '0', 'credit', '0')
return 1
`;

/** Writes what a tenant used before a rebuild. After the shared seven: pending epoch, tenant, then pairs bucket, recipients. */
export const CHARGE_TENANT = `${PRELUDE}
if redis.call('HGET', LED, 'pending') ~= ARGV[8] then return 0 end
local now = ledgerNow(field('last'))
local tenant, first, current, sum = ARGV[9], math.floor(firstBucket(now) / WIDE), bucketOf(now), 0
redis.call('SADD', P .. 'tenants', tenant)
redis.call('DEL', P .. 'r:' .. tenant)
for i = 10, #ARGV, 2 do
  local bucket, used = math.floor(math.min(current, tonumber(ARGV[i])) / WIDE), tonumber(ARGV[i + 1])
  if bucket >= first and used > 0 then
    charge(P .. 'r:' .. tenant, WIDE_SIZE, bucket, used)
    sum = sum + used
  end
end
redis.call('HSET', P .. 't:' .. tenant, 'sum', int(sum), 'tail', int(first))
return 1
`;

/** Lets a rebuilt ledger grant. After the shared seven: epoch. */
export const OPEN = `${PRELUDE}
if redis.call('HGET', LED, 'pending') ~= ARGV[8] then return 0 end
redis.call('HDEL', LED, 'pending')
redis.call('HSET', LED, 'epoch', ARGV[8])
return 1
`;

/** The account was removed, or a newer version has left it: nothing of it stays, and an old ticket finds no ledger. */
export const FORGET = `${ANY_LAYOUT}
${EMPTY_QUEUES}
for _, lane in ipairs(redis.call('SMEMBERS', P .. 'lanes')) do redis.call('DEL', P .. 'n:' .. lane, P .. 'nr:' .. lane) end
redis.call('DEL', P .. 'lanes', P .. 'lock:pump', P .. 'lock:feed', P .. 'lock:rebuild')
return 1
`;

/**
 * A short lock by name, kept alive by its holder: it only avoids wasted calls, nothing relies on it for safety.
 * After the shared seven: name, holder, life (ms of real time). Answers HELD when the holder has it now, else ELSE; and the
 * ledger's time (us), or 0 while it and the clocks disagree.
 */
export const HOLD = `${PRELUDE}
local key, LONGEST = P .. 'lock:' .. ARGV[8], 60000
local holder = redis.call('GET', key)
-- A lock that lasts longer than any was taken while Redis' clock was ahead: its holder may be gone, and it would be kept for as
-- long as the clock was set back.
if holder and redis.call('PTTL', key) > LONGEST then holder = nil end
local us = engineUs()
local seen = math.max(us, field('last'))
local now = (differs(us) or differs(seen)) and '0' or int(seen)
if holder and holder ~= ARGV[9] then return {'ELSE', now} end
redis.call('SET', key, ARGV[9], 'PX', ARGV[10])
return {'HELD', now}
`;
