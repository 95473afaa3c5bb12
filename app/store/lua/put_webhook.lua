-- KEYS: webhooks, progress.  ARGV: id, webhook (JSON), its progress (JSON), name of this change, webhooks at most.
-- Returns 'created' (also where an earlier try whose answer was lost has done so), 'exists' or 'full'.
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  return known == ARGV[2] and 'created' or 'exists'
end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[5]) then -- one field names the newest change
  return 'full'
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2], 'changed', ARGV[4])
return 'created'
