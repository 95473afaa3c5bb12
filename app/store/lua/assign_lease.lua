-- KEYS: instrument.  ARGV: fence as it is known, the new owner ('' for nobody), the channel for a notice, symbol.
-- Returns owner and fence as they are now: the new ones, or, where the fence is another one already, those that stand.
local fence = redis.call('HGET', KEYS[1], 'fence') or '0'
if fence ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'json') == 0 then
  return {redis.call('HGET', KEYS[1], 'owner') or '', fence}
end
fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[2])
redis.pcall('PUBLISH', ARGV[3], cjson.encode({'owner', ARGV[4], ARGV[2], fence}))
return {ARGV[2], tostring(fence)}
