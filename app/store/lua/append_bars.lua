-- KEYS: bars.  ARGV: id of the newest bar ('' for none), bars kept, then id and json of each new bar.
-- Returns 1, or 0 and does nothing where another bar is the newest.
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if (newest[1] and newest[1][1] or '') ~= ARGV[1] then
  return 0
end
for index = 3, #ARGV, 2 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], ARGV[index], 'json', ARGV[index + 1])
end
return 1
