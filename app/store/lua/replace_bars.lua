-- KEYS: bars, rebuilt, awaiting.  ARGV: id of the newest bar, number of bars, number of bars in rebuilt.
-- Returns 1, or 0 and does nothing where an order awaits bars, the bars are others by now, or rebuilt is not complete.
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if redis.call('SCARD', KEYS[3]) > 0 or not newest[1] or newest[1][1] ~= ARGV[1]
  or redis.call('XLEN', KEYS[1]) ~= tonumber(ARGV[2]) or redis.call('XLEN', KEYS[2]) ~= tonumber(ARGV[3]) then
  redis.call('UNLINK', KEYS[2])
  return 0
end
redis.call('RENAME', KEYS[2], KEYS[1])
redis.call('PERSIST', KEYS[1])
return 1
