-- KEYS: order, slices, bars, awaiting, events, sequence, orders, orders of its status.
-- ARGV: order id, id of the newest bar, mandate, state, version, step, slice ('' for none), awaits bars (1 or 0),
--       orders that may await bars, events kept, each event (JSON).
-- Returns {'created'}, {'exists', mandate, state}, {'outrun'} where another bar is the newest, or {'full'}.
local recorded = redis.call('HMGET', KEYS[1], 'mandate', 'state')
if recorded[1] then
  return {'exists', recorded[1], recorded[2]}
end
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
if (newest[1] and newest[1][1] or '') ~= ARGV[2] then
  return {'outrun'}
end
if redis.call('SCARD', KEYS[4]) >= tonumber(ARGV[9]) then
  return {'full'}
end
local sequence = redis.call('INCR', KEYS[6])
redis.call('HSET', KEYS[1], 'mandate', ARGV[3], 'state', ARGV[4], 'version', ARGV[5], 'step', ARGV[6],
  'sequence', sequence)
if ARGV[7] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[6], ARGV[7])
end
redis.call('ZADD', KEYS[7], sequence, ARGV[1])
redis.call('ZADD', KEYS[8], sequence, ARGV[1])
if ARGV[8] == '1' then
  redis.call('SADD', KEYS[4], ARGV[1])
end
for index = 11, #ARGV do
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[10], '*', 'json', ARGV[index])
end
return {'created'}
