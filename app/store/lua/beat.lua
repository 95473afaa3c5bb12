-- KEYS: processes.  ARGV: a process, for how long it is live from now on (ms; 0: it leaves), the channel for a notice.
-- Returns the processes that are live, by the server's clock alone.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[2] == '0' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
end
redis.pcall('PUBLISH', ARGV[3], cjson.encode({ARGV[2] == '0' and 'gone' or 'here', ARGV[1]}))
return redis.call('ZRANGE', KEYS[1], 0, -1)
