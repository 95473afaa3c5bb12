-- KEYS: lease, webhooks.  ARGV: who asks, for how long (ms).
-- Returns the name of the newest change of the webhooks where the one who asks is to deliver from now on; nil where
-- somebody else is, or there is nothing to deliver.
if redis.call('HLEN', KEYS[2]) < 2 then -- one field names the newest change
  return false
end
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return false
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('HGET', KEYS[2], 'changed') or ''
