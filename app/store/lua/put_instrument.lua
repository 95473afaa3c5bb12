-- KEYS: instrument, awaiting, bars, revisions.  ARGV: json, terms, windows (what bars are made of).
-- Returns 'created', 'updated' or 'in_use'; in_use changes nothing. `revision` counts the changes of the json.
local known = redis.call('HMGET', KEYS[1], 'terms', 'windows', 'json')
if known[1] and known[1] ~= ARGV[2] and redis.call('SCARD', KEYS[2]) > 0 then
  return 'in_use'
end
if known[2] and known[2] ~= ARGV[3] then
  redis.call('DEL', KEYS[3], KEYS[4])
end
if known[3] ~= ARGV[1] then
  redis.call('HINCRBY', KEYS[1], 'revision', 1)
end
redis.call('HSET', KEYS[1], 'json', ARGV[1], 'terms', ARGV[2], 'windows', ARGV[3])
return known[1] and 'updated' or 'created'
