/**
 * Shared by every script of the ledger. KEYS[1] is `pf:{<sending account>}:led`; all other keys carry the same hash tag,
 * so one account's ledger lives on one node. The first six arguments are always the clock and the ring:
 * base (ms), speed, offset (ms), bucket width (ms), number of buckets, caller's idea of now (ms; 0 = do not compare).
 */
export const PRELUDE = `
local P = string.sub(KEYS[1], 1, -4)
local LED = KEYS[1]
local BASE, SPEED, OFFSET = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local W, N, CALLER = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local function int(x) return string.format('%.0f', x) end
local function ms(us) return string.format('%.0f', math.floor(us / 1000)) end
local function field(name) return tonumber(redis.call('HGET', LED, name) or '0') end
local function engineUs()
  local t = redis.call('TIME')
  local real = tonumber(t[1]) * 1000 + tonumber(t[2]) / 1000
  return math.floor((BASE + (real - BASE) * SPEED + OFFSET) * 1000)
end
-- Time never runs backwards inside a ledger, whatever the host's clock does.
local function ledgerNow()
  local now = engineUs()
  local last = field('last')
  if last > now then now = last else redis.call('HSET', LED, 'last', int(now)) end
  return now
end
local function bucketOf(us) return math.floor(us / 1000 / W) end
-- Drops the buckets that SES has forgotten for certain: 24 h after their END plus the guard.
local function expire(ring, hash, sum, tail, now)
  local first = bucketOf(now) - N + 1
  if tail >= first then return sum, tail end
  if first - tail >= N then
    redis.call('DEL', ring)
    sum = 0
  else
    for b = tail, first - 1 do
      local used = redis.call('HGET', ring, int(b))
      if used then
        sum = sum - tonumber(used)
        redis.call('HDEL', ring, int(b))
      end
    end
  end
  redis.call('HSET', hash, 'sum', int(sum), 'tail', int(first))
  return sum, first
end
local function expireAccount(now)
  return expire(P .. 'ring', LED, field('sum'), field('tail'), now)
end
local function expireTenant(tenant, now)
  local hash = P .. 't:' .. tenant
  local v = redis.call('HMGET', hash, 'sum', 'tail')
  return expire(P .. 'r:' .. tenant, hash, tonumber(v[1] or '0'), tonumber(v[2] or '0'), now)
end
-- Takes recipients back out of a bucket that is still counted.
local function unchargeBucket(ring, hash, bucket, n)
  local tail = tonumber(redis.call('HGET', hash, 'tail') or '0')
  if bucket < tail then return end
  local used = tonumber(redis.call('HGET', ring, int(bucket)) or '0')
  local back = math.min(used, n)
  if back <= 0 then return end
  redis.call('HINCRBY', ring, int(bucket), int(-back))
  redis.call('HINCRBY', hash, 'sum', int(-back))
end
local function uncharge(tenant, bucket, n)
  unchargeBucket(P .. 'ring', LED, bucket, n)
  unchargeBucket(P .. 'r:' .. tenant, P .. 't:' .. tenant, bucket, n)
end
`;
