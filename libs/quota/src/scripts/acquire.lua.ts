import { FAIR_TURNS } from './fair-turns.lua';
import { PRELUDE } from './prelude.lua';

/**
 * Grants quota and picks messages fairly, in one atomic step. Arguments after the shared seven:
 * op id, epoch, run id, want (recipients), lead (ms), slice (ms), workers, slot life (ms), 1 for what cannot wait.
 * Answers GRANT, EMPTY, STALE, CLOCK or FROZEN; the numbers are microseconds of engine time unless said otherwise. The
 * last but one text of a GRANT is what was granted: `class:tenant:lane,entry,entry;...`; the last is 1 when somebody's list
 * ran out (not told again under the same op id).
 *
 * What cannot wait is transactional mail, and marketing of tenants that have no more than one turn waiting, a fiftieth of a
 * second's rate at most within lead and slice. It starts beside the slots that are granted already and moves the rate clock on, so that the grants after it make room: what was lent is paid
 * back within lead and slice, and until then SES's bucket, which holds a whole second, has it.
 */
export const ACQUIRE = `${PRELUDE}
local OP, EPOCH, RUN = ARGV[8], ARGV[9], ARGV[10]
local WANT, LEAD, SLICE = tonumber(ARGV[11]), tonumber(ARGV[12]) * 1000, tonumber(ARGV[13]) * 1000
local WORKERS, LIFE, URGENT = tonumber(ARGV[14]), tonumber(ARGV[15]) * 1000, ARGV[16] == '1'
local TURN, FLOOR, FLOOR_MAX, ASIDE_MAX, SIDELINE = 8, 19, 950, 200, 10
local LOAN_PART, LEAST_LENDER = 50, 9
local SHARE_BURST = 60000000

local led = redis.call('HMGET', LED, 'epoch', 'runid', 'last', 'frozen', 'q', 'num', 'den', 'tat', 'ext', 'credit', 'sum', 'tail',
  'vtx', 'vmk', 'factor', 'since', 'txday', 'txused', 'txseen', 'lent')
if not led[1] or led[1] ~= EPOCH or led[2] ~= RUN or elsewhere(RUN) then return {'STALE'} end
local now = ledgerNow(tonumber(led[3] or '0'))
local stored = redis.call('HMGET', P .. 'grants', OP, bodyOf(OP))
if stored[1] then
  local g = readGrant(stored[1])
  return {'GRANT', int(now), g.t0, g.deadline, g.bucket, g.cost, g.num, g.den, stored[2]}
end
local clock = engineUs()
if differs(clock) or differs(now) then return {'CLOCK', int(clock)} end
local frozen = tonumber(led[4] or '0') * 1000
if now < frozen then return {'FROZEN', int(now), int(frozen)} end

-- Charges that were kept for a while after a refusal, and tenants whose own limit has freed.
local late = redis.call('ZRANGEBYSCORE', P .. 'late', '-inf', ms(now), 'LIMIT', 0, 100)
for _, entry in ipairs(late) do
  local tenant, lane, bucket, n = string.match(entry, '^[^|]*|([^|]*)|([^|]*)|([^|]*)|([^|]*)$')
  uncharge(tenant, lane, tonumber(bucket), tonumber(n))
  redis.call('ZREM', P .. 'late', entry)
end
if #late > 0 then led[11], led[12] = redis.call('HGET', LED, 'sum'), redis.call('HGET', LED, 'tail') end
local v = { tx = tonumber(led[13] or '0'), mk = tonumber(led[14] or '0') }
for _, class in ipairs({'tx', 'mk'}) do
  for _, tenant in ipairs(redis.call('ZRANGEBYSCORE', P .. 'park:' .. class, '-inf', ms(now), 'LIMIT', 0, 100)) do
    redis.call('ZREM', P .. 'park:' .. class, tenant)
    local finish = tonumber(redis.call('HGET', P .. 't:' .. tenant, 'f' .. class) or '0')
    redis.call('ZADD', P .. 'q:' .. class, int(math.max(v[class], finish)), tenant)
  end
end

local waiting = { tx = redis.call('ZCARD', P .. 'q:tx'), mk = redis.call('ZCARD', P .. 'q:mk') }
local sum, tail = expireAccount(now, tonumber(led[11]), tonumber(led[12]))
if waiting.tx + waiting.mk == 0 then return {'EMPTY', int(now), 'idle', int(0)} end
local q, num, den = tonumber(led[5]), tonumber(led[6]), tonumber(led[7])
local tat, ext, credit = tonumber(led[8]), tonumber(led[9]), tonumber(led[10] or '0')

local room = math.huge
if q >= 0 then room = q - math.min(16 * WORKERS, headroomOf(q)) - sum - ext end
if room <= 0 then return {'EMPTY', int(now), 'day', int(roomReturns(now, P .. 'rg', tail, N))} end
if num <= 0 then return {'EMPTY', int(now), 'rate', int(now + 1000000)} end

local txday, txused, txseen = tonumber(led[17] or '0'), tonumber(led[18] or '0'), tonumber(led[19] or '0')
local day = math.floor(now / DAY_US)
if day > txday then txday, txused = day, 0 end
if waiting.tx > 0 then txseen = now end
local bulkRoom = room - reserveOf(q, now, txused, txseen)

local share = { num = num, den = den * 5 }
local pace = paceAt(now, tonumber(led[15] or '1000'), tonumber(led[16] or '0'))
if pace < 1000 then num, den = num * pace, den * 1000 end

local t0, n, lent, loan = math.max(tat, now + LEAD), nil, math.max(now, tonumber(led[20] or '0')), 0
if URGENT then
  -- Nothing is lent where the bucket is small, or has just been found empty.
  loan = math.ceil(num / (den * LOAN_PART))
  n = math.min(WANT, math.floor((LEAD + SLICE - (lent - now)) * loan / (LEAD + SLICE)))
  if n <= 0 or pace < 1000 or num < den * LEAST_LENDER then return {'EMPTY', int(now), 'rate', int(math.max(now, lent))} end
  t0 = now
else
  n = math.max(0, math.min(WANT, math.floor((now + LEAD + SLICE - t0) * num / (den * 1000000))))
end
${FAIR_TURNS}
flush()
if cost == 0 then
  if waitUntil then return {'EMPTY', int(now), 'rate', int(math.ceil(math.max(now, waitUntil)))} end
  if not sawRoom and redis.call('ZCARD', P .. 'q:tx') + redis.call('ZCARD', P .. 'q:mk') > 0 then
    return {'EMPTY', int(now), 'day', int(now + 1000000)}
  end
  return {'EMPTY', int(now), 'tenants', int(now + 100000)}
end

-- Beside tenants over their transactional share marketing earns as much as they take: half of what is left may be less than its
-- next message costs.
if waiting.mk > 0 then credit = math.max(0, math.min(FLOOR_MAX, credit + spent.tx + (FLOOR - 1) * loud - FLOOR * spent.mk)) end
local finish = math.ceil(t0 + duration(cost, num, den))
charge(P .. 'rg', N, bucket, cost)
for i, entries in ipairs(runs) do runs[i] = table.concat(entries, ',') end
local free = math.ceil(math.max(tat, t0) + duration(cost, num, den))
if URGENT then redis.call('HSET', LED, 'lent', int(math.ceil(lent + cost * (LEAD + SLICE) / loan))) end
redis.call('HSET', LED, 'sum', int(sum + cost), 'tat', int(free), 'credit', int(credit), 'vtx', int(v.tx), 'vmk', int(v.mk),
  'txday', int(txday), 'txused', int(txused + spent.tx), 'txseen', int(txseen))
local deadline = (alone and t0 or finish) + LIFE
redis.call('ZADD', P .. 'inflight', ms(deadline), OP)
local g = { t0 = int(t0), deadline = int(deadline), at = int(now), bucket = int(bucket), cost = int(cost), num = int(num), den = int(den) }
local body = table.concat(runs, ';')
redis.call('HSET', P .. 'grants', OP, writeGrant(g), bodyOf(OP), body)
return {'GRANT', int(now), g.t0, g.deadline, g.bucket, g.cost, g.num, g.den, body, ranDry and '1' or '0'}
`;
