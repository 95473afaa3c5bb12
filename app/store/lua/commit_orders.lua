-- Commits orders of one instrument, each where its version and step are still those that the change started from.
-- KEYS: awaiting, events, instrument, then for each order: order, slices where the change adds a slice, fills where it
--       books a fill, orders of its old status and orders of its new status where that is another one.
-- ARGV: events kept, revision of the instrument ('' where the changes do not depend on its terms), name of this commit,
--       fence of the instrument's owner ('' where anybody may commit), the channel for a notice ('' for none), symbol,
--       then for each order: order id, version before, step before, version, step, state, slice ('' for none), awaits
--       bars (1 or 0, '' where that stays as it is), new status (1 or 0), execution id ('' for none), fill, number of
--       events, each event (JSON).
-- Returns {'outrun'} and does nothing where the instrument has other terms, {'fenced'} where it has another owner. Else 'done', for each order {} where the
-- change stands (also where an earlier try whose answer was lost has recorded it), {mandate, state, slice} as recorded
-- where it lost, {key} where that key holds something else and nothing was done; other keys that hold something else;
-- and the name of the change of the instrument's orders before this one ('' for none), nil where nothing was written.
local FIRST = 7
local answers, unreadable, written, changed = {}, {}, false, {}

local function typed(name, key, ...)
  local answer = redis.pcall(name, key, ...)
  if type(answer) == 'table' and answer.err then
    if string.sub(answer.err, 1, 9) ~= 'WRONGTYPE' then
      error(answer)
    end
    return nil
  end
  return answer
end

local function noted(key, answer)
  if answer == nil then
    unreadable[key] = true
  end
end

if ARGV[2] ~= '' and (redis.call('HGET', KEYS[3], 'revision') or '0') ~= ARGV[2] then
  return {'outrun'}
end
if ARGV[4] ~= '' and (redis.call('HGET', KEYS[3], 'fence') or '0') ~= ARGV[4] then
  return {'fenced'}
end
redis.call('SCARD', KEYS[1]) -- another type fails here, before anything is written
local key, arg = 4, FIRST
local function next_key(wanted)
  if not wanted then
    return nil
  end
  key = key + 1
  return KEYS[key - 1]
end
while arg <= #ARGV do
  local id, version, step, state, slice = ARGV[arg], ARGV[arg + 3], ARGV[arg + 4], ARGV[arg + 5], ARGV[arg + 6]
  local awaits, execution, events = ARGV[arg + 7], ARGV[arg + 9], tonumber(ARGV[arg + 11])
  local order, slices, fills = next_key(true), next_key(slice ~= ''), next_key(execution ~= '')
  local old, new = next_key(ARGV[arg + 8] == '1'), next_key(ARGV[arg + 8] == '1')
  local recorded = typed('HMGET', order, 'version', 'step', 'sequence', 'commit')
  if not recorded then
    answers[#answers + 1] = {order}
  elseif recorded[1] ~= ARGV[arg + 1] or recorded[2] ~= ARGV[arg + 2] then
    answers[#answers + 1] = recorded[4] == ARGV[3] and {} or redis.call('HMGET', order, 'mandate', 'state', 'slice')
  elseif slices and not typed('HSET', slices, step, slice) then
    answers[#answers + 1] = {slices}
  elseif fills and not typed('HSET', fills, execution, ARGV[arg + 10]) then
    if slices then
      redis.call('HDEL', slices, step)
    end
    answers[#answers + 1] = {fills}
  else
    if slices then
      redis.call('HSET', order, 'version', version, 'step', step, 'state', state, 'commit', ARGV[3], 'slice', slice)
    else
      redis.call('HSET', order, 'version', version, 'step', step, 'state', state, 'commit', ARGV[3])
    end
    if awaits ~= '' then
      redis.call(awaits == '1' and 'SADD' or 'SREM', KEYS[1], id)
    end
    if old then
      noted(old, typed('ZREM', old, id))
      noted(new, typed('ZADD', new, recorded[3], id))
    end
    for index = arg + 12, arg + 11 + events do
      noted(KEYS[2], typed('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'json', ARGV[index]))
    end
    answers[#answers + 1], written = {}, true
    changed[#changed + 1] = id
  end
  arg = arg + 12 + events
end
local before = false
if written then
  before = typed('HGET', KEYS[3], 'changed') or ''
  typed('HSET', KEYS[3], 'changed', ARGV[3])
  if ARGV[5] ~= '' then
    redis.pcall('PUBLISH', ARGV[5], cjson.encode({'orders', ARGV[6], before, ARGV[3], changed}))
  end
end
local others = {}
for each in pairs(unreadable) do
  others[#others + 1] = each
end
return {'done', answers, others, before}
