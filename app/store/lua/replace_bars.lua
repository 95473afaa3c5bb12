-- KEYS: bars, rebuilt, awaiting.  ARGV: id of the newest bar, number of bars.
-- Returns 1, or 0 and does nothing where an order awaits bars or the bars are others by now.
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if redis.call('SCARD', KEYS[3]) > 0 or not newest[1] or newest[1][1] ~= ARGV[1]
  or redis.call('XLEN', KEYS[1]) ~= tonumber(ARGV[2]) then
  redis.call('UNLINK', KEYS[2])
  return 0
end
redis.call('RENAME', KEYS[2], KEYS[1])
redis.call('PERSIST', KEYS[1])
return 1
