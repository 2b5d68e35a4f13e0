/**
 * The middle of ACQUIRE: start-time fair queueing among the tenants of a class, and the order of the classes. Given are `t0`
 * and `n`, the first slot and how many recipients may be granted. Leaves what it picked in `runs`, `cost`, `spent`; every
 * queue, list and tenant it touched is written once, by `flush`.
 */
export const FAIR_TURNS = `
local function duration(cost, a, b) return cost * 1000000 * b / a end
local function fits(from, a, b) return math.floor((now + LEAD + SLICE - from) * a / (b * 1000000)) end
-- Earliest time at which a message of this cost can be granted, given when the rate clock is free.
local function nextChance(free, cost, a, b)
  if cost <= fits(now + LEAD, a, b) then return free + duration(cost, a, b) - LEAD - SLICE end
  return free - LEAD
end

local bucket = bucketOf(now)
local runs, run, group, cost, waitUntil, alone, full = {}, nil, nil, 0, nil, false, false
local spent = { tx = 0, mk = 0 }
local aside, asides, demoted = {}, 0, {}
local tenants, lanes, lists, queues, sawRoom, ranDry = {}, {}, {}, {}, false, false

local function limitsOf(tenant)
  local t = tenants[tenant]
  if t then return t end
  local h = redis.call('HMGET', P .. 't:' .. tenant, 'w', 'cap', 'num', 'den', 'tat', 'txt', 'leased', 'lease', 'lnum', 'lden',
    'ftx', 'fmk', 'served', 'ntx', 'nmk', 'sum', 'tail', 'lat')
  t = { w = tonumber(h[1] or '1'), cap = tonumber(h[2] or '-1'), num = tonumber(h[3] or '0'), den = tonumber(h[4] or '1'),
        tat = tonumber(h[5] or '0'), txt = tonumber(h[6] or '0'), served = tonumber(h[13] or '0'), granted = 0, changed = false,
        finish = { tx = tonumber(h[11] or '0'), mk = tonumber(h[12] or '0') }, lane = { tx = h[14] or '', mk = h[15] or '' } }
  if h[7] == '1' then
    -- Its cap is divided over several accounts: without a part of its own nothing is granted here.
    local lease = partOf(h[8], h[18], now)
    if t.cap < 0 then t.cap = lease elseif lease >= 0 then t.cap = math.min(t.cap, lease) end
    if h[9] then t.num, t.den = tonumber(h[9]), tonumber(h[10]) end
  end
  t.sum, t.tail = expireTenantOf(tenant, now, h[16], h[17])
  tenants[tenant] = t
  return t
end
-- False for a lane without caps of its own.
local function laneOf(name)
  if lanes[name] == nil then
    if name == '' or redis.call('SISMEMBER', P .. 'lanes', name) == 0 then
      lanes[name] = false
    else
      lanes[name] = expireLane(name, now)
      lanes[name].granted = 0
    end
  end
  return lanes[name]
end
local function listOf(class, tenant)
  local key = P .. 'l:' .. class .. ':' .. tenant
  if not lists[key] then
    -- At first about its share of the grant, and a turn.
    lists[key] = { key = key, entries = {}, pos = 1, chunk = math.min(128, math.ceil(n / math.max(1, waiting[class])) + TURN) }
  end
  return lists[key]
end
local function head(list)
  local entry = list.entries[list.pos]
  if entry or list.ended then return entry end
  local more = redis.call('LRANGE', list.key, list.pos - 1, list.pos + list.chunk - 2)
  for _, one in ipairs(more) do list.entries[#list.entries + 1] = one end
  list.ended = #more < list.chunk
  list.chunk = 64
  return list.entries[list.pos]
end

-- A class's tenants by start tag, the least last. They leave the set in runs; whoever is left there comes after all of a
-- run, so that most turns ask Redis for nothing.
local function queueOf(class)
  local q = queues[class]
  if not q then
    q = { key = P .. 'q:' .. class, items = {}, more = true, lastStart = -1, lastTenant = '' }
    queues[class] = q
  end
  return q
end
local function before(start, tenant, otherStart, other) return start < otherStart or (start == otherStart and tenant < other) end
local function put(q, start, tenant)
  local i = #q.items
  while i > 0 and before(q.items[i].start, q.items[i].tenant, start, tenant) do i = i - 1 end
  table.insert(q.items, i + 1, { start = start, tenant = tenant })
end
local function popLeast(q)
  while true do
    local least = q.items[#q.items]
    if least and not (q.more and before(q.lastStart, q.lastTenant, least.start, least.tenant)) then
      return table.remove(q.items)
    end
    if not q.more then return nil end
    local count = math.max(1, math.min(64, math.ceil((n - cost) / TURN)))
    local popped = redis.call('ZPOPMIN', q.key, count)
    q.more = #popped == 2 * count
    for i = 1, #popped, 2 do
      q.lastTenant, q.lastStart = popped[i], tonumber(popped[i + 1])
      put(q, q.lastStart, q.lastTenant)
    end
  end
end

-- True when the tenant's or its lane's own cap has no room for this message.
local function capped(t, lane, c)
  if t.cap >= 0 and t.sum + c > t.cap then return true end
  return lane and ((lane.day >= 0 and lane.sum + c > lane.day) or (lane.hour >= 0 and lane.hsum + c > lane.hour))
end
-- True when the tenant's plan rate does not cover this message now.
local function beyondRate(t, c)
  if t.tat <= now + LEAD then return false end
  return c > fits(t.tat, t.num, t.den)
end

-- One class until the budget is gone. The least start tag goes first, TURN recipients a turn.
local function serve(class, budget, rules)
  local q, spentBefore = queueOf(class), spent[class]
  local limit = class == 'mk' and bulkRoom or room
  local asidesBefore = asides
  while not waitUntil and not alone and not full do
    local earned = budget - (spent[class] - spentBefore)
    local left, saves = math.min(earned, n - cost), false
    if left <= 0 and (cost > 0 or rules.credit) then return end
    -- Nobody finds room: two hundred would be asked in vain.
    if limit - cost <= 0 then return end
    local least = popLeast(q)
    if not least then return end
    local tenant, start = least.tenant, least.start
    local t, list = limitsOf(tenant), listOf(class, tenant)
    local lane = laneOf(t.lane[class])
    local isCapped = t.cap >= 0 or lane
    local taken, weighed, verdict = 0, 0, nil
    if rules.short and redis.call('LLEN', list.key) > TURN then verdict = 'aside' end
    if class == 'tx' and rules.share and math.max(t.txt, now) - now > SHARE_BURST then verdict = 'demoted' end
    while not verdict do
      local entry = head(list)
      if not entry then verdict = 'empty' break end
      local c = #entry == 30 and 1 or costOf(entry)
      if taken > 0 and taken + c > TURN then verdict = 'turn' break end
      if c > limit - cost then verdict = 'aside' break end
      sawRoom = true
      if isCapped and capped(t, lane, c) then verdict = taken > 0 and 'turn' or 'park' break end
      if c > left then
        if taken > 0 then verdict = 'turn' break end
        -- What marketing has earned beside transactional mail is saved until it is enough for the fairest: those who went in its
        -- place would spend it for ever, and to let it go earlier would be more than the floor.
        if c > earned then saves = rules.credit verdict = 'aside' break end
        if not rules.mayWait then verdict = 'aside' break end
        -- What is left of this slice is too short for the fairest: it keeps its place and goes first next time. Filling
        -- the rest with small messages would give their tenants more than their share; the rate clock loses nothing.
        if cost > 0 then full = true verdict = 'aside' break end
        -- The fairest head costs more than the whole slice: it goes alone once the rate clock is free, and until then
        -- nothing overtakes it, or small messages would keep the clock busy for ever.
        if tat > now + LEAD then waitUntil = nextChance(tat, c, num, den) verdict = 'aside' break end
        alone = true
      end
      list.pos = list.pos + 1
      if group ~= class .. tenant then
        group = class .. tenant
        run = { class .. ':' .. tenant .. ':' .. t.lane[class] }
        runs[#runs + 1] = run
      end
      run[#run + 1] = entry
      cost, taken, left = cost + c, taken + c, left - c
      spent[class] = spent[class] + c
      t.granted, t.sum = t.granted + c, t.sum + c
      if lane then lane.granted, lane.sum, lane.hsum = lane.granted + c, lane.sum + c, lane.hsum + c end
      if t.num > 0 and beyondRate(t, c) then
        -- Side-lined: beyond its plan's rate a tenant counts with a tenth of its weight, and takes what nobody else wants.
        weighed = weighed + c * SIDELINE
      else
        weighed = weighed + c
        if t.num > 0 then t.tat = math.ceil(math.max(t.tat, now + LEAD) + duration(c, t.num, t.den)) end
      end
      if class == 'tx' then t.txt = math.ceil(math.max(t.txt, now) + duration(c, share.num, share.den)) end
      if alone then verdict = 'turn' end
    end
    if taken > 0 then
      v[class] = math.max(v[class], start)
      -- From its own tag, not the queue's: who was set aside while others went keeps what it is owed.
      start = start + math.floor(weighed * 1000000 / t.w)
      t.finish[class], t.changed = start, true
    end
    if verdict == 'empty' then
      ranDry = ranDry or taken > 0
    elseif verdict == 'turn' then
      if head(list) then put(q, start, tenant) else ranDry = true end
    elseif verdict == 'park' then
      t.finish[class], t.changed = start, true
      redis.call('ZADD', P .. 'park:' .. class, ms(now + 5000000), tenant)
    elseif verdict == 'demoted' then
      demoted[#demoted + 1] = { start, tenant }
    elseif verdict == 'aside' then
      aside[#aside + 1] = { q, start, tenant }
      asides = asides + 1
      if saves or asides >= ASIDE_MAX or (rules.short and asides - asidesBefore >= TURN) then return end
    end
  end
end

local function restore()
  for _, a in ipairs(aside) do put(a[1], a[2], a[3]) end
  aside, asides = {}, 0
end

local function flush()
  for _, q in pairs(queues) do
    local args = {}
    for _, item in ipairs(q.items) do
      args[#args + 1] = int(item.start)
      args[#args + 1] = item.tenant
    end
    for i = 1, #args, 1000 do redis.call('ZADD', q.key, unpack(args, i, math.min(#args, i + 999))) end
  end
  for key, list in pairs(lists) do
    if list.pos > 1 then redis.call('LTRIM', key, list.pos - 1, -1) end
  end
  for tenant, t in pairs(tenants) do
    if t.granted > 0 then charge(P .. 'r:' .. tenant, WIDE_SIZE, math.floor(bucket / WIDE), t.granted) end
    if t.changed then
      redis.call('HSET', P .. 't:' .. tenant, 'sum', int(t.sum), 'tat', int(t.tat), 'txt', int(t.txt), 'ftx', int(t.finish.tx),
        'fmk', int(t.finish.mk), 'served', int(t.served + t.granted))
    end
  end
  for name, lane in pairs(lanes) do
    if lane and lane.granted > 0 then
      charge(P .. 'nr:' .. name, N, bucket, lane.granted)
      redis.call('HSET', P .. 'n:' .. name, 'sum', int(lane.sum), 'hsum', int(lane.hsum))
    end
  end
end

-- Order: what bulk has earned by its floor, transactional within its share, then bulk and the tenants over their
-- transactional share side by side, so that neither can push the other out.
local loud = 0
if waiting.mk == 0 then credit = 0 end
if waiting.tx > 0 and credit >= FLOOR and not URGENT then
  serve('mk', math.floor(credit / FLOOR), { credit = true, mayWait = true })
  restore()
end
serve('tx', math.huge, { share = true, mayWait = not URGENT })
for _, d in ipairs(demoted) do put(queueOf('tx'), d[1], d[2]) end
if #demoted > 0 and not URGENT then
  serve('mk', math.ceil(math.max(0, n - cost) / 2), { mayWait = false })
  restore()
  loud = spent.tx
  serve('tx', math.huge, { share = false, mayWait = true })
  loud = spent.tx - loud
end
if URGENT then
  -- Half of what may be lent is left for transactional mail; whoever has more than a turn is no small sender.
  serve('mk', math.floor((n - cost) / 2), { short = true, mayWait = false })
else
  serve('mk', math.huge, { mayWait = true })
end
restore()
`;
