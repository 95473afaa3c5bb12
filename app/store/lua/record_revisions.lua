-- KEYS: revisions, bars.  ARGV: bars kept, then id and json of each revised bar.
-- Returns how many of the revisions are new. Where there are too many, those of bars that are gone make way.
local new = 0
for index = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[index]) ~= ARGV[index + 1] then
    redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
    new = new + 1
  end
end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[1]) then
  local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
  local since = oldest[1] and tonumber(string.match(oldest[1][1], '^%d+')) or 0
  for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do
    if tonumber(string.match(id, '^%d+')) < since then
      redis.call('HDEL', KEYS[1], id)
    end
  end
end
return new
