-- One order takes the place of another one on the same instrument, where the old one still stands as the change found it.
-- KEYS: old order, new order, new slices, bars, awaiting, events, sequence, orders, orders of the old one's status, orders
--       that are replaced, orders of the new one's status, instrument, the claim where it is to be taken, and the orders of
--       the new one's account where it has one.
-- ARGV: old order's id, version before, step before, version and state; new order's id, mandate, state, slice ('' for none),
--       version, step, awaits bars (1 or 0); id of the newest bar, revision of the instrument, name of this commit, the new
--       order's claim ('' where it stands already), the channel for a notice ('' for none), symbol, events kept, each event.
-- Returns {'created', before} and {'created'}, {'exists', mandate, state, slice}, {'claimed', claim}, {'outrun'} and
-- {'unreadable', key} as create_order.lua does, and {'moved', mandate, state, slice} of an old order that has been moved.
local claim = false
if ARGV[16] ~= '' then
  claim = redis.pcall('GET', KEYS[13])
  if type(claim) == 'table' and claim.err then
    return {'unreadable', KEYS[13]}
  end
  if claim and claim ~= ARGV[16] then
    return {'claimed', claim}
  end
end
local recorded = redis.pcall('HMGET', KEYS[2], 'mandate', 'state', 'slice', 'commit')
if recorded.err then
  return {'unreadable', KEYS[2]}
end
if recorded[1] and recorded[4] == ARGV[15] then
  return {'created'}
end
if recorded[1] then
  return {'exists', recorded[1], recorded[2], recorded[3]}
end
if ARGV[14] ~= '' and (redis.call('HGET', KEYS[12], 'revision') or '0') ~= ARGV[14] then
  return {'outrun'}
end
local newest = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
if (newest[1] and newest[1][1] or '') ~= ARGV[13] then
  return {'outrun'}
end
local old = redis.pcall('HMGET', KEYS[1], 'version', 'step', 'sequence')
if old.err then
  return {'unreadable', KEYS[1]}
end
if old[1] ~= ARGV[2] or old[2] ~= ARGV[3] then
  local moved = redis.call('HMGET', KEYS[1], 'mandate', 'state', 'slice')
  return {'moved', moved[1], moved[2], moved[3]}
end
-- A key of another type fails here, before anything is written.
redis.call('HLEN', KEYS[3])
redis.call('SCARD', KEYS[5])
redis.call('XLEN', KEYS[6])
for index = 8, 11 do
  redis.call('ZCARD', KEYS[index])
end
local of_account = KEYS[ARGV[16] ~= '' and 14 or 13]
if of_account then
  redis.call('ZCARD', of_account)
end
local before = redis.call('HGET', KEYS[12], 'changed') or ''
local sequence = redis.call('INCR', KEYS[7])
if ARGV[16] ~= '' and not claim then
  redis.call('SET', KEYS[13], ARGV[16])
end
redis.call('HSET', KEYS[1], 'version', ARGV[4], 'state', ARGV[5], 'commit', ARGV[15])
redis.call('SREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[9], ARGV[1])
redis.call('ZADD', KEYS[10], old[3], ARGV[1])
redis.call('HSET', KEYS[2], 'mandate', ARGV[7], 'state', ARGV[8], 'version', ARGV[10], 'step', ARGV[11],
  'sequence', sequence, 'commit', ARGV[15])
if ARGV[9] ~= '' then
  redis.call('HSET', KEYS[2], 'slice', ARGV[9])
  redis.call('HSET', KEYS[3], ARGV[11], ARGV[9])
end
redis.call('ZADD', KEYS[8], sequence, ARGV[6])
redis.call('ZADD', KEYS[11], sequence, ARGV[6])
if of_account then
  redis.call('ZADD', of_account, sequence, ARGV[6])
end
if ARGV[12] == '1' then
  redis.call('SADD', KEYS[5], ARGV[6])
end
for index = 20, #ARGV do
  redis.call('XADD', KEYS[6], 'MAXLEN', '~', ARGV[19], '*', 'json', ARGV[index])
end
redis.call('HSET', KEYS[12], 'changed', ARGV[15])
if ARGV[17] ~= '' then
  redis.pcall('PUBLISH', ARGV[17], cjson.encode({'orders', ARGV[18], before, ARGV[15], {ARGV[1], ARGV[6]}}))
end
return {'created', before}
