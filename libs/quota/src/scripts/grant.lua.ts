import { PRELUDE } from './prelude.lua';

/**
 * Ends a grant. After the shared seven: op id, how long refused recipients stay charged (ms), then triples
 * tenant, recipients to give back at once, recipients to give back later. Answers 1, or 0 when already ended.
 */
export const SETTLE = `${PRELUDE}
local OP, KEEP = ARGV[8], tonumber(ARGV[9])
local stored = redis.call('HMGET', P .. 'grants', OP, bodyOf(OP))
if not stored[1] then return 0 end
redis.call('HDEL', P .. 'grants', OP, bodyOf(OP))
redis.call('ZREM', P .. 'inflight', OP)
local g, groups, lists = readGrant(stored[1]), {}, {}
for text in string.gmatch(stored[2], '[^;]+') do
  local class, tenant, lane, at = string.match(text, '^(%a+):([^:]*):([^,]*)()')
  local key = class .. tenant
  local list = lists[key]
  if not list then
    list = { class = class, tenant = tenant, shards = {} }
    lists[key] = list
  end
  local group, last = { tenant = tenant, lane = lane, cost = 0 }, #text
  while at < last do
    local s, more = string.byte(text, at + 30) % SHARDS, at + 31
    local numbers = list.shards[s]
    if not numbers then
      numbers = {}
      list.shards[s] = numbers
    end
    numbers[#numbers + 1] = string.sub(text, at + 22, at + 30)
    at = more
    if at <= last and string.byte(text, at) ~= 44 then
      at = string.find(text, ',', more, true) or last + 1
      group.cost = group.cost + tonumber(string.sub(text, more, at - 1))
    else
      group.cost = group.cost + 1
    end
  end
  groups[#groups + 1] = group
end
-- Until here the ids counted as known, so that nobody offered again what was on its way.
for _, list in pairs(lists) do forgetKnown(list.class, list.tenant, list.shards) end
if #ARGV < 10 then return 1 end
local bucket, now = tonumber(g.bucket), ledgerNow(field('last'))
expireAccount(now, field('sum'), field('tail'))
-- Lanes get back no more than they gave, in the order in which they gave it.
local function giveBack(tenant, count, back)
  local order, parts = {}, {}
  for _, group in ipairs(groups) do
    if group.tenant == tenant then
      if not parts[group.lane] then
        order[#order + 1] = group.lane
        parts[group.lane] = {}
      end
      table.insert(parts[group.lane], group)
    end
  end
  for _, lane in ipairs(order) do
    local n = 0
    for _, group in ipairs(parts[lane]) do
      local part = math.min(count - n, group.cost)
      group.cost, n = group.cost - part, n + part
    end
    if n > 0 then back(lane, n) end
    count = count - n
  end
  if count > 0 then back('', count) end
end
local left = tonumber(g.cost)
for i = 10, #ARGV, 3 do
  local tenant = ARGV[i]
  expireTenant(tenant, now)
  local at_once = math.min(left, tonumber(ARGV[i + 1]))
  left = left - at_once
  giveBack(tenant, at_once, function(lane, part) uncharge(tenant, lane, bucket, part) end)
  local later = math.min(left, tonumber(ARGV[i + 2]))
  left = left - later
  giveBack(tenant, later, function(lane, part)
    local entry = table.concat({ OP, tenant, lane, int(bucket), int(part) }, '|')
    redis.call('ZADD', P .. 'late', int(math.floor(now / 1000) + KEEP), entry)
  end)
end
return 1
`;

/**
 * A new slot for the rest of a batch that is late: rate only, the day is charged already; a whole batch that nothing was granted after
 * moves with its own. After the shared seven: op id, epoch, run id, recipients, slot life (ms), oldest grant that may move (ms), how far
 * ahead the slot may begin (ms). Answers the slot or GONE.
 */
export const RESLOT = `${PRELUDE}
local OP, COST, LIFE, OLDEST = ARGV[8], tonumber(ARGV[11]), tonumber(ARGV[12]) * 1000, tonumber(ARGV[13]) * 1000
local AHEAD = tonumber(ARGV[14]) * 1000
local led = redis.call('HMGET', LED, 'epoch', 'runid', 'last', 'num', 'den', 'tat', 'frozen', 'factor', 'since')
if not led[1] or led[1] ~= ARGV[9] or led[2] ~= ARGV[10] or elsewhere(ARGV[10]) then return {'GONE'} end
local stored = redis.call('HGET', P .. 'grants', OP)
if not stored then return {'GONE'} end
local now = ledgerNow(tonumber(led[3] or '0'))
local g = readGrant(stored)
local num, den, latest = tonumber(led[4]), tonumber(led[5]), math.min(tonumber(g.at) + OLDEST, now + AHEAD)
if now < tonumber(led[7] or '0') * 1000 or num <= 0 then return {'GONE'} end
local pace = paceAt(now, tonumber(led[8] or '1000'), tonumber(led[9] or '0'))
if pace < 1000 then num, den = num * pace, den * 1000 end
local free, from = tonumber(led[6]), tonumber(g.t0)
-- Late as a whole, and nothing was granted since: its own time is free again. Behind it a message that takes longer than slots may lie
-- ahead would get none, however often it was granted.
if COST == tonumber(g.cost) and free == math.ceil(from + COST * 1000000 * tonumber(g.den) / tonumber(g.num)) then free = from end
local t0 = math.max(free, now + 2000)
if t0 > latest then return {'GONE'} end
local finish = math.ceil(t0 + COST * 1000000 * den / num)
local deadline = math.min(finish, latest) + LIFE
g.deadline = int(deadline)
redis.call('HSET', LED, 'tat', int(finish))
redis.call('HSET', P .. 'grants', OP, writeGrant(g))
redis.call('ZADD', P .. 'inflight', ms(deadline), OP)
return {'SLOT', int(now), int(t0), int(deadline), int(num), int(den)}
`;

/** Grants whose time is over and that nobody settled. After the shared seven: at most how many. Answers op ids and grants. */
export const OVERDUE = `${PRELUDE}
local out = {}
for _, op in ipairs(redis.call('ZRANGEBYSCORE', P .. 'inflight', '-inf', ms(engineUs()), 'LIMIT', 0, tonumber(ARGV[8]))) do
  local stored = redis.call('HMGET', P .. 'grants', op, bodyOf(op))
  out[#out + 1] = op
  if stored[1] then
    local g = readGrant(stored[1])
    out[#out + 1] = g.bucket
    out[#out + 1] = g.cost
    out[#out + 1] = stored[2]
  else
    for _, nothing in ipairs({'0', '0', ''}) do out[#out + 1] = nothing end
  end
end
return out
`;
