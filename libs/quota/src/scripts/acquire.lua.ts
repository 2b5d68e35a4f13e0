import { PRELUDE } from './prelude.lua';

/**
 * Grants quota and picks messages fairly, in one atomic step. Arguments after the shared six:
 * op id, epoch, run id, want (recipients), lead (ms), slice (ms), workers, slot life (ms), clock tolerance (ms).
 * Answers GRANT, EMPTY, STALE, CLOCK or FROZEN; the numbers are microseconds of engine time unless said otherwise.
 */
export const ACQUIRE = `${PRELUDE}
local OP, EPOCH, RUN = ARGV[7], ARGV[8], ARGV[9]
local WANT, LEAD, SLICE = tonumber(ARGV[10]), tonumber(ARGV[11]) * 1000, tonumber(ARGV[12]) * 1000
local WORKERS, LIFE, TOLERANCE = tonumber(ARGV[13]), tonumber(ARGV[14]) * 1000, tonumber(ARGV[15])
local TURN, FLOOR, FLOOR_MAX, ASIDE_MAX = 8, 19, 950, 200
local SHARE_BURST = 60000000

local led = redis.call('HMGET', LED, 'epoch', 'runid')
if not led[1] or led[1] ~= EPOCH or led[2] ~= RUN then return {'STALE'} end
local now = ledgerNow()
local stored = redis.call('HGET', P .. 'grants', OP)
if stored then
  local g = cjson.decode(stored)
  local pace = redis.call('HMGET', LED, 'num', 'den')
  return {'GRANT', int(now), g.t0, g.deadline, int(g.bucket), int(g.cost), pace[1], pace[2], unpack(g.ids)}
end
if CALLER > 0 and math.abs(now / 1000 - CALLER) > TOLERANCE then return {'CLOCK', int(now)} end
local frozen = field('frozen') * 1000
if now < frozen then return {'FROZEN', int(now), int(frozen)} end

-- Charges that were kept for a while after a refusal, and tenants whose own limit has freed.
for _, entry in ipairs(redis.call('ZRANGEBYSCORE', P .. 'late', '-inf', ms(now), 'LIMIT', 0, 100)) do
  local tenant, bucket, n = string.match(entry, '^[^|]*|([^|]*)|([^|]*)|([^|]*)$')
  uncharge(tenant, tonumber(bucket), tonumber(n))
  redis.call('ZREM', P .. 'late', entry)
end
for _, class in ipairs({'tx', 'mk'}) do
  for _, tenant in ipairs(redis.call('ZRANGEBYSCORE', P .. 'park:' .. class, '-inf', ms(now), 'LIMIT', 0, 100)) do
    redis.call('ZREM', P .. 'park:' .. class, tenant)
    local finish = tonumber(redis.call('HGET', P .. 'fin:' .. class, tenant) or '0')
    redis.call('ZADD', P .. 'q:' .. class, int(math.max(field('v' .. class), finish)), tenant)
  end
end

local waiting = { tx = redis.call('ZCARD', P .. 'q:tx'), mk = redis.call('ZCARD', P .. 'q:mk') }
local sum, tail = expireAccount(now)
local v = redis.call('HMGET', LED, 'q', 'num', 'den', 'tat', 'ext', 'credit')
local q, num, den = tonumber(v[1]), tonumber(v[2]), tonumber(v[3])
local tat, ext, credit = tonumber(v[4]), tonumber(v[5]), tonumber(v[6] or '0')
if waiting.tx + waiting.mk == 0 then return {'EMPTY', int(now), 'idle', int(0)} end

local room = math.huge
if q >= 0 then room = q - math.min(16 * WORKERS, math.floor(q * 5 / 10000)) - sum - ext end
if room <= 0 then
  -- The oldest bucket that still holds something frees room first.
  local b, last = tail, bucketOf(now)
  while b < last and redis.call('HGET', P .. 'ring', int(b)) == false do b = b + 1 end
  return {'EMPTY', int(now), 'day', int((b + N) * W * 1000)}
end
if num <= 0 then return {'EMPTY', int(now), 'rate', int(now + 1000000)} end

local function duration(cost, a, b) return cost * 1000000 * b / a end
local function fits(from, a, b) return math.floor((now + LEAD + SLICE - from) * a / (b * 1000000)) end
-- Earliest time at which a message of this cost can be granted, given when its clock is free.
local function nextChance(free, cost, a, b)
  if cost <= fits(now + LEAD, a, b) then return free + duration(cost, a, b) - LEAD - SLICE end
  return free - LEAD
end

local t0 = math.max(tat, now + LEAD)
local n = math.max(0, math.min(WANT, fits(t0, num, den)))
local ids, cost, waitUntil, alone, full = {}, 0, nil, false, false
local spent = { tx = 0, mk = 0 }
local aside, asides, demoted = {}, 0, {}
local tenants, sawRoom = {}, false

local function limitsOf(tenant)
  local t = tenants[tenant]
  if t then return t end
  local h = redis.call('HMGET', P .. 't:' .. tenant, 'w', 'cap', 'num', 'den', 'tat', 'txt')
  t = { w = tonumber(h[1] or '1'), cap = tonumber(h[2] or '-1'), num = tonumber(h[3] or '0'), den = tonumber(h[4] or '1'),
        tat = tonumber(h[5] or '0'), txt = tonumber(h[6] or '0'), granted = 0 }
  t.sum = expireTenant(tenant, now)
  tenants[tenant] = t
  return t
end

-- Nil when the tenant's own limits let this message go, else the time of the next chance.
local function tenantHold(t, c)
  if t.cap >= 0 and t.sum + c > t.cap then return now + 5000000 end
  if t.num > 0 then
    local from = math.max(t.tat, now + LEAD)
    if c > fits(from, t.num, t.den) and t.tat > now + LEAD then return nextChance(t.tat, c, t.num, t.den) end
  end
  return nil
end

-- One class until the budget is gone. Start-time fair queueing: the least start tag goes first, TURN recipients a turn.
local function serve(class, budget, rules)
  local Q = P .. 'q:' .. class
  while not waitUntil and not alone and not full do
    local left = math.min(budget - spent[class] + rules.before, n - cost)
    if cost > 0 and left <= 0 then return end
    if cost == 0 and rules.credit and left <= 0 then return end
    local popped = redis.call('ZPOPMIN', Q)
    if not popped[1] then return end
    local tenant, start = popped[1], tonumber(popped[2])
    local t = limitsOf(tenant)
    local list = P .. 'l:' .. class .. ':' .. tenant
    local taken, verdict, hold = 0, nil, nil
    if class == 'tx' and rules.share and math.max(t.txt, now) - now > SHARE_BURST then
      verdict = 'demoted'
    end
    while not verdict do
      local entry = redis.call('LINDEX', list, 0)
      if not entry then verdict = 'empty' break end
      local id, c = string.match(entry, '^([^:]+):(%d+)$')
      c = tonumber(c)
      left = math.min(budget - spent[class] + rules.before, n - cost)
      if taken > 0 and taken + c > TURN then verdict = 'turn' break end
      if c > room - cost then verdict = taken > 0 and 'turn' or 'aside' break end
      sawRoom = true
      hold = tenantHold(t, c)
      if hold then verdict = taken > 0 and 'turn' or 'park' break end
      if c > left then
        if taken > 0 then verdict = 'turn' break end
        if c <= n - cost or not rules.mayWait then verdict = 'aside' break end
        -- What is left of this slice is too short for the fairest: it keeps its place and goes first next time. Filling
        -- the rest with small messages would give their tenants more than their share; the rate clock loses nothing.
        if cost > 0 then full = true verdict = 'aside' break end
        -- The fairest head costs more than the whole slice: it goes alone once the rate clock is free, and until then
        -- nothing overtakes it, or small messages would keep the clock busy for ever.
        if tat > now + LEAD then waitUntil = nextChance(tat, c, num, den) verdict = 'aside' break end
        alone = true
      end
      redis.call('LPOP', list)
      ids[#ids + 1] = tenant .. ':' .. id .. ':' .. int(c) .. ':' .. class
      cost, taken = cost + c, taken + c
      spent[class] = spent[class] + c
      t.granted, t.sum = t.granted + c, t.sum + c
      if t.num > 0 then t.tat = math.ceil(math.max(t.tat, now + LEAD) + duration(c, t.num, t.den)) end
      if class == 'tx' then t.txt = math.ceil(math.max(t.txt, now) + duration(c, num, den * 5)) end
      if alone then verdict = 'turn' end
    end
    if taken > 0 then
      redis.call('HSET', LED, 'v' .. class, int(math.max(field('v' .. class), start)))
      -- From its own tag, not the queue's: who was set aside while others went keeps what it is owed.
      start = start + math.floor(taken * 1000000 / t.w)
      redis.call('HSET', P .. 'fin:' .. class, tenant, int(start))
    end
    if verdict == 'turn' then
      if redis.call('LLEN', list) > 0 then redis.call('ZADD', Q, int(start), tenant) end
    elseif verdict == 'park' then
      redis.call('HSET', P .. 'fin:' .. class, tenant, int(start))
      redis.call('ZADD', P .. 'park:' .. class, int(math.ceil(hold / 1000)), tenant)
    elseif verdict == 'demoted' then
      demoted[#demoted + 1] = { int(start), tenant }
    elseif verdict == 'aside' then
      aside[#aside + 1] = { Q, int(start), tenant }
      asides = asides + 1
      if asides >= ASIDE_MAX then return end
    end
  end
end

local function restore()
  for _, a in ipairs(aside) do redis.call('ZADD', a[1], a[2], a[3]) end
  aside, asides = {}, 0
end

-- Order: what bulk has earned by its floor, transactional within its share, then bulk and the tenants over their
-- transactional share side by side, so that neither can push the other out.
if waiting.mk == 0 then credit = 0 end
if waiting.tx > 0 and credit >= FLOOR then
  serve('mk', math.floor(credit / FLOOR), { before = 0, credit = true, mayWait = true })
  restore()
end
serve('tx', math.huge, { before = spent.tx, share = true, mayWait = true })
for _, d in ipairs(demoted) do redis.call('ZADD', P .. 'q:tx', d[1], d[2]) end
if #demoted > 0 then
  serve('mk', math.ceil(math.max(0, n - cost) / 2), { before = spent.mk, mayWait = false })
  restore()
  serve('tx', math.huge, { before = spent.tx, share = false, mayWait = true })
end
serve('mk', math.huge, { before = spent.mk, mayWait = true })
restore()

if cost == 0 then
  if waitUntil then return {'EMPTY', int(now), 'rate', int(math.ceil(math.max(now, waitUntil)))} end
  if not sawRoom and redis.call('ZCARD', P .. 'q:tx') + redis.call('ZCARD', P .. 'q:mk') > 0 then
    return {'EMPTY', int(now), 'day', int(now + 1000000)}
  end
  return {'EMPTY', int(now), 'tenants', int(now + 100000)}
end

local bucket = bucketOf(now)
redis.call('HINCRBY', P .. 'ring', int(bucket), int(cost))
for tenant, t in pairs(tenants) do
  if t.granted > 0 then
    local hash = P .. 't:' .. tenant
    redis.call('HINCRBY', P .. 'r:' .. tenant, int(bucket), int(t.granted))
    redis.call('HINCRBY', hash, 'sum', int(t.granted))
    redis.call('HSET', hash, 'tat', int(t.tat), 'txt', int(t.txt))
  end
end
if waiting.mk > 0 then credit = math.max(0, math.min(FLOOR_MAX, credit + spent.tx - FLOOR * spent.mk)) end
local finish = math.ceil(t0 + duration(cost, num, den))
local deadline = (alone and t0 or finish) + LIFE
redis.call('HSET', LED, 'sum', int(sum + cost), 'tat', int(finish), 'credit', int(credit))
redis.call('ZADD', P .. 'inflight', ms(deadline), OP)
-- Times as text: cjson writes numbers with 14 digits, microseconds since 1970 have 16.
redis.call('HSET', P .. 'grants', OP,
  cjson.encode({ t0 = int(t0), deadline = int(deadline), bucket = bucket, cost = cost, at = int(now), ids = ids }))
return {'GRANT', int(now), int(t0), int(deadline), int(bucket), int(cost), int(num), int(den), unpack(ids)}
`;
