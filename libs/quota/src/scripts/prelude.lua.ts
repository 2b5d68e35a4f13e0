import { LAYOUT } from '../ledger-layout.policy';
import { WIDE } from '../ring.policy';

/**
 * Shared by the scripts that work on a ledger of any layout. KEYS[1] is `pf:{<sending account>}:led`; all other keys carry the same hash tag,
 * so one account's ledger lives on one node. The first seven arguments are always the clock and the ring: base (ms),
 * speed, offset (ms), bucket width (ms), number of buckets, caller's idea of now (ms; 0 = do not compare), and by how
 * much the caller may differ (ms).
 *
 * Keys: `led` the account; `rg` its ring; `q:<class>`, `park:<class>` tenants by start tag and by time; `l:<class>:<tenant>`
 * ready entries; `k:<class>:<tenant>:<0-3>` what is queued or granted there; `t:<tenant>`, `r:<tenant>` a tenant and its
 * ring; `n:<lane>`, `nr:<lane>` a lane and its ring; `grants`, `inflight`, `late`; `tenants`, `lanes`, `lock:<name>`.
 *
 * A ring is a string of 32-bit counters, the bucket modulo its size: 5.8 kB where a hash of 1,443 fields took 90.
 */
export const ANY_LAYOUT = `
local P = string.sub(KEYS[1], 1, -4)
local LED = KEYS[1]
local BASE, SPEED, OFFSET = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local W, N, CALLER, TOLERANCE = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local HOUR = math.min(N, math.ceil(3600000 / W) + 1)
local WIDE = ${String(WIDE)}
local WIDE_SIZE = math.floor(N / WIDE) + 2
local SHARDS = 4

-- A replica that took a node's place holds what it had been told of the ledger, and is not the node the run id names.
local function elsewhere(run)
  local node = string.match(run, '@(%w+)/')
  return node and redis.call('CLUSTER', 'MYID') ~= node
end
local function int(x) return string.format('%.0f', x) end
local function ms(us) return string.format('%.0f', math.floor(us / 1000)) end
local function field(name) return tonumber(redis.call('HGET', LED, name) or '0') end
local function engineUs()
  local t = redis.call('TIME')
  local real = tonumber(t[1]) * 1000 + tonumber(t[2]) / 1000
  return math.floor((BASE + (real - BASE) * SPEED + OFFSET) * 1000)
end
local function differs(us) return CALLER > 0 and math.abs(us / 1000 - CALLER) > TOLERANCE end
-- Time never runs backwards inside a ledger, and stands still while this host's clock and the caller's disagree: a clock
-- that jumped ahead would drop buckets that SES still counts.
local function ledgerNow(last)
  local now = engineUs()
  if last > 0 and (now <= last or differs(now)) then return last end
  redis.call('HSET', LED, 'last', int(now))
  return now
end
local function bucketOf(us) return math.floor(us / 1000 / W) end
local function firstBucket(now) return bucketOf(now) - N + 1 end
-- How many of the ring's newest buckets may hold what SES has not counted yet, and of its oldest what it has forgotten.
local function edgeOf() return math.min(math.floor(N / 2), math.max(2, N - math.floor(86400000 / W))) end

local function slot(bucket, size) return '#' .. int(bucket % size) end
local function charge(ring, size, bucket, n) redis.call('BITFIELD', ring, 'INCRBY', 'u32', slot(bucket, size), int(n)) end
-- What stands in the buckets from..upto-1; verb SET empties them.
local function sumOf(verb, ring, size, from, upto)
  local sum = 0
  while from < upto do
    local args, last = {}, math.min(upto, from + 500)
    for b = from, last - 1 do
      args[#args + 1] = verb
      args[#args + 1] = 'u32'
      args[#args + 1] = slot(b, size)
      if verb == 'SET' then args[#args + 1] = '0' end
    end
    for _, used in ipairs(redis.call(verb == 'SET' and 'BITFIELD' or 'BITFIELD_RO', ring, unpack(args))) do sum = sum + used end
    from = last
  end
  return sum
end
-- Drops the buckets that SES has forgotten for certain: 24 h after their END plus the guard.
local function expire(ring, size, sum, tail, first)
  if tail >= first then return sum, tail end
  if sum <= 0 then return 0, first end
  if first - tail >= size then
    redis.call('DEL', ring)
    return 0, first
  end
  return sum - sumOf('SET', ring, size, tail, first), first
end
-- Takes recipients back out of a bucket, and answers how many were there to be taken.
local function takeBack(ring, size, bucket, n)
  local used = redis.call('BITFIELD', ring, 'GET', 'u32', slot(bucket, size))[1]
  local back = math.min(used, n)
  if back > 0 then charge(ring, size, bucket, -back) end
  return math.max(0, back)
end

local function expireAccount(now, sum, tail)
  local first = firstBucket(now)
  if tail >= first then return sum, tail end
  sum, tail = expire(P .. 'rg', N, sum, tail, first)
  redis.call('HSET', LED, 'sum', int(sum), 'tail', int(tail))
  return sum, tail
end
-- When the oldest bucket from tail on that still holds something is dropped, span buckets later, microseconds: room returns then first.
local function roomReturns(now, key, tail, span)
  local ring, first, last = redis.call('GET', key) or '', tail % N, bucketOf(now)
  local at = string.find(ring, '[^%z]', first * 4 + 1) or string.find(ring, '[^%z]')
  local b = at and tail + (math.floor((at - 1) / 4) - first) % N or last
  return (math.max(tail, math.min(b, last)) + span) * W * 1000
end
-- The same of an account's ring once so many recipients have been dropped: where its quota was cut below what is charged. Slots of
-- what is newest may still hold what is to be dropped.
local function roomReturnsWithout(now, tail, leaving)
  local ring, last, gone = redis.call('GET', P .. 'rg') or '', bucketOf(now), 0
  for b = math.max(tail, firstBucket(now)), math.min(last, tail + N - 1) do
    local at = b % N * 4
    local w, x, y, z = string.byte(ring, at + 1, at + 4)
    if z then gone = gone + ((w * 256 + x) * 256 + y) * 256 + z end
    if gone >= leaving then return (b + N) * W * 1000 end
  end
  return (last + N) * W * 1000
end
-- What of the day's quota stays free for requests that are past their deadline check and not yet on the wire, at most.
local function headroomOf(q) return math.floor(q * 5 / 10000) end
-- What of the day's reserve neither time has released nor transactional mail has used is closed to marketing. Accounts
-- without transactional mail in the last day keep none, so that nothing is wasted on them.
local DAY_US = 86400000000
local function reserveOf(q, now, txused, txseen)
  if q < 0 or txseen <= 0 or now - txseen >= DAY_US then return 0 end
  local reserve = math.floor(q * 5 / 1000)
  return math.max(0, math.floor(reserve - math.max(reserve * (now % DAY_US) / DAY_US, txused)))
end
-- From what was read of the tenant's hash.
local function expireTenantOf(tenant, now, sumRead, tailRead)
  local was = tonumber(tailRead or '0')
  local sum, tail = expire(P .. 'r:' .. tenant, WIDE_SIZE, tonumber(sumRead or '0'), was, math.floor(firstBucket(now) / WIDE))
  if tail > was then redis.call('HSET', P .. 't:' .. tenant, 'sum', int(sum), 'tail', int(tail)) end
  return sum, tail
end
local function expireTenant(tenant, now)
  local v = redis.call('HMGET', P .. 't:' .. tenant, 'sum', 'tail')
  return expireTenantOf(tenant, now, v[1], v[2])
end
-- A tenant's part of a divided cap; -1 = no cap. One that nobody has divided for a day is none: while the tenant was elsewhere, the
-- other accounts may have been given all of it.
local function partOf(part, at, now)
  if at and now - tonumber(at) > DAY_US then return 0 end
  return tonumber(part or '0')
end
-- A lane's day and hour stand in one ring; the hour is what the last of its buckets hold.
local function expireLane(lane, now)
  local hash, ring = P .. 'n:' .. lane, P .. 'nr:' .. lane
  local v = redis.call('HMGET', hash, 'sum', 'tail', 'hsum', 'htail', 'day', 'hour')
  local sum, tail, hsum, htail = tonumber(v[1] or '0'), tonumber(v[2] or '0'), tonumber(v[3] or '0'), tonumber(v[4] or '0')
  local was, first, hfirst = htail, firstBucket(now), bucketOf(now) - HOUR + 1
  if htail < hfirst then
    if hsum > 0 then hsum = hfirst - htail >= HOUR and 0 or hsum - sumOf('GET', ring, N, htail, hfirst) end
    htail = hfirst
  end
  sum, tail = expire(ring, N, sum, tail, first)
  if htail > was then redis.call('HSET', hash, 'sum', int(sum), 'tail', int(tail), 'hsum', int(hsum), 'htail', int(htail)) end
  return { sum = sum, tail = tail, hsum = hsum, htail = htail, day = tonumber(v[5] or '-1'), hour = tonumber(v[6] or '-1') }
end

local function lower(hash, name, by)
  if by > 0 then redis.call('HINCRBY', hash, name, int(-by)) end
end
-- Gives recipients of a bucket back to the account, the tenant and, where it is counted, the lane.
local function uncharge(tenant, lane, bucket, n)
  if bucket >= field('tail') then lower(LED, 'sum', takeBack(P .. 'rg', N, bucket, n)) end
  local hash, wide = P .. 't:' .. tenant, math.floor(bucket / WIDE)
  if wide >= tonumber(redis.call('HGET', hash, 'tail') or '0') then
    lower(hash, 'sum', takeBack(P .. 'r:' .. tenant, WIDE_SIZE, wide, n))
  end
  if lane == '' or redis.call('SISMEMBER', P .. 'lanes', lane) == 0 then return end
  local v = redis.call('HMGET', P .. 'n:' .. lane, 'tail', 'htail')
  if bucket < tonumber(v[1] or '0') then return end
  local back = takeBack(P .. 'nr:' .. lane, N, bucket, n)
  lower(P .. 'n:' .. lane, 'sum', back)
  if bucket >= tonumber(v[2] or '0') then lower(P .. 'n:' .. lane, 'hsum', back) end
end

-- What waits for a cap does not wait for one that is another by now.
local function letGo(tenant)
  for _, class in ipairs({'tx', 'mk'}) do
    if redis.call('ZREM', P .. 'park:' .. class, tenant) == 1 then
      local finish = tonumber(redis.call('HGET', P .. 't:' .. tenant, 'f' .. class) or '0')
      redis.call('ZADD', P .. 'q:' .. class, int(math.max(field('v' .. class), finish)), tenant)
      redis.call('PUBLISH', 'pf:offered', string.sub(P, 5, -3))
    end
  end
end

-- An entry is an id of 30 characters, and its recipients unless that is 1. The last nine are a number of 28 random bits,
-- by which a list knows what it holds: two ids that share one only wait for each other.
local function costOf(entry) return #entry > 30 and tonumber(string.sub(entry, 31)) or 1 end
local function numberOf(entry) return string.sub(entry, 22, 30) end
local function byShard(entries)
  local shards = {}
  for i = 1, #entries do
    local entry = entries[i]
    local s = string.byte(entry, 30) % SHARDS
    local numbers = shards[s]
    if not numbers then
      numbers = {}
      shards[s] = numbers
    end
    numbers[#numbers + 1] = string.sub(entry, 22, 30)
  end
  return shards
end
-- These ids may be offered again; they stand by their numbers, in shards.
local function forgetKnown(class, tenant, shards)
  for s, numbers in pairs(shards) do
    local key = P .. 'k:' .. class .. ':' .. tenant .. ':' .. s
    for i = 1, #numbers, 1000 do redis.call('SREM', key, unpack(numbers, i, math.min(#numbers, i + 999))) end
  end
end

-- What a 429 has left of the rate, in thousandths: half, for two seconds, then a tenth more every second.
local function paceAt(now, factor, since)
  if now <= since then return factor end
  return math.min(1000, factor + math.floor((now - since) / 10000))
end
-- A grant as it is stored: a string of its figures, and one of its messages, because encoding a hundred ids as JSON cost
-- more than choosing them, and a batch that is late needs new figures only.
local function bodyOf(op) return op .. ':m' end
local function readGrant(stored)
  local t0, deadline, at, bucket, cost, num, den = string.match(stored, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  return { t0 = t0, deadline = deadline, at = at, bucket = bucket, cost = cost, num = num, den = den }
end
local function writeGrant(g)
  return table.concat({ g.t0, g.deadline, g.at, g.bucket, g.cost, g.num, g.den }, ' ')
end
`;

/** Shared by all others. What a newer version has written is neither read nor changed: nobody here knows what it means. */
export const PRELUDE = `${ANY_LAYOUT}
local layout = tonumber(string.match(redis.call('HGET', LED, 'runid') or '', '/(%d+)/%d+$') or '0')
if layout > ${String(LAYOUT)} then return redis.error_reply('NEWER its layout is ' .. layout .. ', here it is ${String(LAYOUT)}.') end
`;
