import { PRELUDE } from './prelude.lua';

/**
 * Puts messages at the end of a tenant's ready list. After the shared seven: class (tx or mk), tenant, its lane ('-' = as
 * before), 1 when its cap is leased, weight, tenant's 24 h cap (-1 = none), tenant's rate num (0 = none), den, most entries
 * the list may hold, then entries. An id that is queued or granted already is left out. Answers how many were queued.
 */
export const OFFER = `${PRELUDE}
local class, tenant, lane, most = ARGV[8], ARGV[9], ARGV[10], tonumber(ARGV[16])
local list, hash = P .. 'l:' .. class .. ':' .. tenant, P .. 't:' .. tenant
redis.call('SADD', P .. 'tenants', tenant)
local was = redis.call('HMGET', hash, 'leased', 'cap')
redis.call('HSET', hash, 'leased', ARGV[11], 'w', ARGV[12], 'cap', ARGV[13], 'num', ARGV[14], 'den', ARGV[15])
if was[1] ~= ARGV[11] or was[2] ~= ARGV[13] then letGo(tenant) end
if lane ~= '-' then redis.call('HSET', hash, 'n' .. class, lane) end
local length = redis.call('LLEN', list)
local entries = {}
if length < most then
  for i = 17, #ARGV do entries[#entries + 1] = ARGV[i] end
end
local known = P .. 'k:' .. class .. ':' .. tenant .. ':'
local shards, seen, areNew = byShard(entries), {}, length + #entries <= most
for s, numbers in pairs(shards) do
  for i, there in ipairs(redis.call('SMISMEMBER', known .. s, unpack(numbers))) do
    if there == 1 then
      seen[numbers[i]] = true
      areNew = false
    end
  end
end
local fresh = entries
if areNew then
  local added = 0
  for s, numbers in pairs(shards) do added = added + redis.call('SADD', known .. s, unpack(numbers)) end
  -- Fewer only when some share a number among themselves.
  areNew = added == #entries
end
if not areNew then
  fresh = {}
  for _, entry in ipairs(entries) do
    if length + #fresh >= most then break end
    local number = numberOf(entry)
    if not seen[number] then
      seen[number] = true
      fresh[#fresh + 1] = entry
    end
  end
  for s, numbers in pairs(byShard(fresh)) do redis.call('SADD', known .. s, unpack(numbers)) end
end
if #fresh > 0 then redis.call('RPUSH', list, unpack(fresh)) end
if length + #fresh > 0 and not redis.call('ZSCORE', P .. 'q:' .. class, tenant) and not redis.call('ZSCORE', P .. 'park:' .. class, tenant) then
  -- An idle tenant enters at the queue's own time: idleness earns no credit.
  local finish = tonumber(redis.call('HGET', hash, 'f' .. class) or '0')
  -- Whoever pumps an account asks it seldom while nobody waits there; transactional mail does not wait for its turn, nor does
  -- who has no more than a turn (8 in ACQUIRE).
  local noTx, short = redis.call('ZCARD', P .. 'q:tx') == 0, length + #fresh <= 8
  if noTx and (class == 'tx' or short or redis.call('ZCARD', P .. 'q:mk') == 0) then
    redis.call('PUBLISH', 'pf:offered', string.sub(P, 5, -3) .. (class == 'tx' and ' urgent' or short and ' small' or ''))
  end
  redis.call('ZADD', P .. 'q:' .. class, int(math.max(field('v' .. class), finish)), tenant)
end
return #fresh
`;

/** Empties a tenant's ready list (it moved, or was paused). After the shared seven: class, tenant. Answers how many went. */
export const DROP = `${PRELUDE}
local class, tenant = ARGV[8], ARGV[9]
local list = P .. 'l:' .. class .. ':' .. tenant
local entries = redis.call('LRANGE', list, 0, -1)
forgetKnown(class, tenant, byShard(entries))
redis.call('DEL', list)
redis.call('ZREM', P .. 'q:' .. class, tenant)
redis.call('ZREM', P .. 'park:' .. class, tenant)
return #entries
`;

/**
 * Takes single messages out of a tenant's ready list: they wait no more. After the shared seven: class, tenant, then ids.
 * Answers how many were listed; what is granted already stays granted.
 */
export const WITHDRAW = `${PRELUDE}
local class, tenant = ARGV[8], ARGV[9]
local list, gone = P .. 'l:' .. class .. ':' .. tenant, {}
for i = 10, #ARGV do gone[ARGV[i]] = true end
local kept, taken = {}, {}
for _, entry in ipairs(redis.call('LRANGE', list, 0, -1)) do
  local to = gone[string.sub(entry, 1, 30)] and taken or kept
  to[#to + 1] = entry
end
if #taken == 0 then return 0 end
forgetKnown(class, tenant, byShard(taken))
redis.call('DEL', list)
for i = 1, #kept, 1000 do redis.call('RPUSH', list, unpack(kept, i, math.min(#kept, i + 999))) end
if #kept == 0 then
  redis.call('ZREM', P .. 'q:' .. class, tenant)
  redis.call('ZREM', P .. 'park:' .. class, tenant)
end
return #taken
`;

/** Everything an operator or a wait estimate asks, as JSON; read only but for time. */
export const STATS = `${PRELUDE}
if redis.call('EXISTS', LED) == 0 then return '{}' end
local now = engineUs()
local v = redis.call('HMGET', LED, 'epoch', 'runid', 'q', 'num', 'den', 'tat', 'sum', 'tail', 'frozen', 'ext', 'factor', 'since', 'txday', 'txused', 'txseen')
local sum, tail, first = tonumber(v[7]), tonumber(v[8]), firstBucket(now)
-- The sum as it will be once the next grant has dropped old buckets; nothing is written here.
if first - tail >= N then sum = 0 elseif sum > 0 then sum = sum - sumOf('GET', P .. 'rg', N, tail, first) end
local ready = {}
for _, class in ipairs({'tx', 'mk'}) do
  for _, key in ipairs({'q:', 'park:'}) do
    for _, tenant in ipairs(redis.call('ZRANGE', P .. key .. class, 0, -1)) do
      ready[#ready + 1] = { tenant, class, redis.call('LLEN', P .. 'l:' .. class .. ':' .. tenant), key == 'park:',
        tonumber(redis.call('HGET', P .. 't:' .. tenant, 'w') or '1') }
    end
  end
end
local lanes = {}
for _, lane in ipairs(redis.call('SMEMBERS', P .. 'lanes')) do
  local l = redis.call('HMGET', P .. 'n:' .. lane, 'day', 'hour', 'sum', 'tail', 'hsum', 'htail')
  local used, hused, hfirst = tonumber(l[3] or '0'), tonumber(l[5] or '0'), bucketOf(now) - HOUR + 1
  local ring = P .. 'nr:' .. lane
  if used > 0 then used = first - l[4] >= N and 0 or used - sumOf('GET', ring, N, tonumber(l[4]), first) end
  if hused > 0 then hused = hfirst - l[6] >= HOUR and 0 or hused - sumOf('GET', ring, N, tonumber(l[6]), hfirst) end
  -- Where the clock has gone back, what is dropped already stands in the slots of what is newest.
  local from, hfrom = math.max(tonumber(l[4] or '0'), first), math.max(tonumber(l[6] or '0'), hfirst)
  lanes[#lanes + 1] = { lane, l[1], int(used), int(roomReturns(now, ring, from, N)), l[2], int(hused), int(roomReturns(now, ring, hfrom, HOUR)) }
end
local q = tonumber(v[3])
local leaving = q >= 0 and sum + tonumber(v[10] or '0') + headroomOf(q) - q + 1 or 0
local frees = leaving > 1 and roomReturnsWithout(now, tail, leaving) or roomReturns(now, P .. 'rg', math.max(tail, first), N)
local txused = math.floor(now / DAY_US) > tonumber(v[13] or '0') and 0 or tonumber(v[14] or '0')
local txseen = redis.call('ZCARD', P .. 'q:tx') > 0 and now or tonumber(v[15] or '0')
return cjson.encode({ now = int(now), epoch = v[1], runid = v[2], q = v[3], num = v[4], den = v[5], tat = v[6], sum = int(sum),
  frees = int(frees), frozen = v[9], ext = v[10], pace = paceAt(now, tonumber(v[11] or '1000'), tonumber(v[12] or '0')),
  headroom = int(math.max(0, headroomOf(q))), reserve = int(reserveOf(q, now, txused, txseen)),
  inflight = redis.call('ZCARD', P .. 'inflight'), ready = #ready > 0 and ready or false, lanes = #lanes > 0 and lanes or false })
`;

/**
 * How much each tenant that waits has ready: what feeding needs of STATS, at a fifth of its price. Answers the epoch, then
 * triples class, tenant, messages; nothing at all without a ledger.
 */
export const READY = `
local P = string.sub(KEYS[1], 1, -4)
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then return {} end
local out = { epoch }
for _, class in ipairs({'tx', 'mk'}) do
  for _, key in ipairs({'q:', 'park:'}) do
    for _, tenant in ipairs(redis.call('ZRANGE', P .. key .. class, 0, -1)) do
      out[#out + 1] = class
      out[#out + 1] = tenant
      out[#out + 1] = redis.call('LLEN', P .. 'l:' .. class .. ':' .. tenant)
    end
  end
end
return out
`;

/** What each tenant that waits has been granted since the last rebuild. Answers fours: tenant, recipients, weight, 1 when parked. */
export const SERVED = `${PRELUDE}
local out, listed = {}, {}
for _, class in ipairs({'tx', 'mk'}) do
  for _, key in ipairs({'q:', 'park:'}) do
    for _, tenant in ipairs(redis.call('ZRANGE', P .. key .. class, 0, -1)) do
      if not listed[tenant] then
        listed[tenant] = true
        local t = redis.call('HMGET', P .. 't:' .. tenant, 'served', 'w')
        for _, value in ipairs({ tenant, t[1] or '0', t[2] or '1', key == 'park:' and '1' or '0' }) do out[#out + 1] = value end
      end
    end
  end
end
return out
`;
