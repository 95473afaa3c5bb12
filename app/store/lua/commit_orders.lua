-- Commits orders of one instrument, each where its version and step are still those that the change started from.
-- KEYS: awaiting, events, then for each order: order, slices, fills, orders of its old status, orders of its new status.
-- ARGV: events kept, then for each order: order id, version before, step before, version, step, state,
--       slice ('' for none), awaits bars (1 or 0), execution id ('' for none), fill, number of events, each event (JSON).
-- Returns for each order {} where the change stands, {mandate, state} as recorded where it lost.
local answers = {}
local key, arg = 3, 2
while arg <= #ARGV do
  local order, slices, fills, old, new = KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3], KEYS[key + 4]
  local id, version, step = ARGV[arg], ARGV[arg + 3], ARGV[arg + 4]
  local events = tonumber(ARGV[arg + 10])
  local recorded = redis.call('HMGET', order, 'version', 'step', 'sequence')
  if recorded[1] == ARGV[arg + 1] and recorded[2] == ARGV[arg + 2] then
    redis.call('HSET', order, 'version', version, 'step', step, 'state', ARGV[arg + 5])
    if ARGV[arg + 6] ~= '' then
      redis.call('HSET', slices, step, ARGV[arg + 6])
    end
    redis.call(ARGV[arg + 7] == '1' and 'SADD' or 'SREM', KEYS[1], id)
    if ARGV[arg + 8] ~= '' then
      redis.call('HSET', fills, ARGV[arg + 8], ARGV[arg + 9])
    end
    if old ~= new then
      redis.call('ZREM', old, id)
      redis.call('ZADD', new, recorded[3], id)
    end
    for index = arg + 11, arg + 10 + events do
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'json', ARGV[index])
    end
    answers[#answers + 1] = {}
  else
    answers[#answers + 1] = redis.call('HMGET', order, 'mandate', 'state')
  end
  key, arg = key + 5, arg + 11 + events
end
return answers
