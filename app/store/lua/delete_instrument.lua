-- KEYS: instrument, awaiting, orders in each live status, then what goes with the instrument.
-- ARGV: number of live statuses, how many order ids are told, the channel for a notice ('' for none), symbol.
-- Returns {'deleted'}, {'unknown'}, or {'in_use', orders that await bars, orders in each live status, order ids} and does
-- nothing. What is left of the instrument's hash is its revision, and fence where it had an owner: both grow, so that
-- nothing that a process still knows of it fits an instrument that is registered later under the same symbol.
local live = tonumber(ARGV[1])
local standing, counts, ids = redis.call('SCARD', KEYS[2]), {}, redis.call('SRANDMEMBER', KEYS[2], ARGV[2])
local in_use = standing > 0
for index = 3, 2 + live do
  counts[#counts + 1] = redis.call('ZCARD', KEYS[index])
  in_use = in_use or counts[#counts] > 0
end
if redis.call('HEXISTS', KEYS[1], 'json') == 0 then
  return {'unknown'}
end
if in_use then
  for index = 3, 2 + live do
    if #ids == 0 then
      ids = redis.call('ZRANGE', KEYS[index], 0, ARGV[2] - 1)
    end
  end
  return {'in_use', standing, counts, ids}
end
for index = 2, #KEYS do
  redis.call('UNLINK', KEYS[index])
end
local revision, fence = redis.call('HINCRBY', KEYS[1], 'revision', 1), redis.call('HGET', KEYS[1], 'fence')
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'revision', revision)
if fence then
  fence = tostring(fence + 1)
  redis.call('HSET', KEYS[1], 'fence', fence)
  if ARGV[3] ~= '' then
    redis.pcall('PUBLISH', ARGV[3], cjson.encode({'owner', ARGV[4], '', fence}))
  end
end
return {'deleted'}
