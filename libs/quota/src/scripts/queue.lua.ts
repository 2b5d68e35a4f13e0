import { PRELUDE } from './prelude.lua';

/**
 * Puts messages at the end of a tenant's ready list. After the shared six: class (tx or mk), tenant, weight, tenant's
 * 24 h cap (-1 = none), tenant's rate num (0 = none), den, most entries the list may hold, then id:recipients.
 * An id that is queued already is left out. Answers how many were queued.
 */
export const OFFER = `${PRELUDE}
local class, tenant, most = ARGV[7], ARGV[8], tonumber(ARGV[13])
local list, hash = P .. 'l:' .. class .. ':' .. tenant, P .. 't:' .. tenant
redis.call('SADD', P .. 'tenants', tenant)
redis.call('HSET', hash, 'w', ARGV[9], 'cap', ARGV[10], 'num', ARGV[11], 'den', ARGV[12])
redis.call('HSETNX', hash, 'tail', int(bucketOf(engineUs()) - N + 1))
local length, queued = redis.call('LLEN', list), 0
for i = 14, #ARGV do
  if length + queued >= most then break end
  local id = string.match(ARGV[i], '^([^:]+):')
  if redis.call('SADD', P .. 'known', id) == 1 then
    redis.call('RPUSH', list, ARGV[i])
    queued = queued + 1
  end
end
if length + queued > 0 and not redis.call('ZSCORE', P .. 'q:' .. class, tenant) and not redis.call('ZSCORE', P .. 'park:' .. class, tenant) then
  -- An idle tenant enters at the queue's own time: idleness earns no credit.
  local finish = tonumber(redis.call('HGET', P .. 'fin:' .. class, tenant) or '0')
  redis.call('ZADD', P .. 'q:' .. class, int(math.max(field('v' .. class), finish)), tenant)
end
return queued
`;

/** Empties a tenant's ready list (it moved, or was paused). After the shared six: class, tenant. Answers how many went. */
export const DROP = `${PRELUDE}
local class, tenant = ARGV[7], ARGV[8]
local list = P .. 'l:' .. class .. ':' .. tenant
local entries = redis.call('LRANGE', list, 0, -1)
for _, entry in ipairs(entries) do redis.call('SREM', P .. 'known', string.match(entry, '^([^:]+):')) end
redis.call('DEL', list)
redis.call('ZREM', P .. 'q:' .. class, tenant)
redis.call('ZREM', P .. 'park:' .. class, tenant)
return #entries
`;
