-- KEYS: instrument, quality.  ARGV: name and change of each counter.
-- Returns 1, or 0 and does nothing where the instrument is gone: its counters went with it.
if redis.call('HEXISTS', KEYS[1], 'json') == 0 then
  return 0
end
for index = 1, #ARGV, 2 do
  redis.call('HINCRBY', KEYS[2], ARGV[index], ARGV[index + 1])
end
return 1
