-- KEYS: order, slices, bars, awaiting, events, sequence, orders, orders of its status, instrument, the claim where it is
--       to be taken, and the orders of its account where it has one.
-- ARGV: order id, id of the newest bar, mandate, state, slice ('' for none), version, step, awaits bars (1 or 0),
--       orders that may await bars, events kept, revision of the instrument ('' for any), name of this commit,
--       the order's claim ('' where it stands already), the channel for a notice ('' for none), symbol, each event (JSON).
-- Returns {'created', before}, where `before` is the name of the change of the instrument's orders before this one (''
-- for none), {'created'} where an earlier try whose answer was lost has done so, {'exists', mandate, state, slice},
-- {'claimed', claim} where another claim stands, {'outrun'} where another bar is the newest or the instrument has other
-- terms, {'full'}, or {'unreadable', key} where the key of the order or of the claim holds something else.
local claim = false
if ARGV[13] ~= '' then
  claim = redis.pcall('GET', KEYS[10])
  if type(claim) == 'table' and claim.err then
    return {'unreadable', KEYS[10]}
  end
  if claim and claim ~= ARGV[13] then
    return {'claimed', claim}
  end
end
local recorded = redis.pcall('HMGET', KEYS[1], 'mandate', 'state', 'slice', 'commit')
if recorded.err then
  return {'unreadable', KEYS[1]}
end
if recorded[1] and recorded[4] == ARGV[12] then
  return {'created'}
end
if recorded[1] then
  return {'exists', recorded[1], recorded[2], recorded[3]}
end
if ARGV[11] ~= '' and (redis.call('HGET', KEYS[9], 'revision') or '0') ~= ARGV[11] then
  return {'outrun'}
end
local newest = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)
if (newest[1] and newest[1][1] or '') ~= ARGV[2] then
  return {'outrun'}
end
if redis.call('SCARD', KEYS[4]) >= tonumber(ARGV[9]) then
  return {'full'}
end
-- A key of another type fails here, before anything is written.
redis.call('HLEN', KEYS[2])
redis.call('XLEN', KEYS[5])
redis.call('ZCARD', KEYS[7])
redis.call('ZCARD', KEYS[8])
local of_account = KEYS[ARGV[13] ~= '' and 11 or 10]
if of_account then
  redis.call('ZCARD', of_account)
end
local before = redis.call('HGET', KEYS[9], 'changed') or ''
if ARGV[13] ~= '' and not claim then
  redis.call('SET', KEYS[10], ARGV[13])
end
local sequence = redis.call('INCR', KEYS[6])
redis.call('HSET', KEYS[1], 'mandate', ARGV[3], 'state', ARGV[4], 'version', ARGV[6], 'step', ARGV[7],
  'sequence', sequence, 'commit', ARGV[12])
if ARGV[5] ~= '' then
  redis.call('HSET', KEYS[1], 'slice', ARGV[5])
  redis.call('HSET', KEYS[2], ARGV[7], ARGV[5])
end
redis.call('ZADD', KEYS[7], sequence, ARGV[1])
redis.call('ZADD', KEYS[8], sequence, ARGV[1])
if of_account then
  redis.call('ZADD', of_account, sequence, ARGV[1])
end
if ARGV[8] == '1' then
  redis.call('SADD', KEYS[4], ARGV[1])
end
for index = 16, #ARGV do
  redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[10], '*', 'json', ARGV[index])
end
redis.call('HSET', KEYS[9], 'changed', ARGV[12])
if ARGV[14] ~= '' then
  redis.pcall('PUBLISH', ARGV[14], cjson.encode({'orders', ARGV[15], before, ARGV[12], {ARGV[1]}}))
end
return {'created', before}
