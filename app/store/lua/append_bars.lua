-- KEYS: bars, instrument.
-- ARGV: id of the newest bar ('' for none), bars kept, revision of the instrument ('' for any), the channel for a notice
--       ('' for none), the notice, then id and json of each new bar.
-- Returns 1, also where an earlier try whose answer was lost has appended these very bars.
-- Returns 0 and does nothing where another bar is the newest, or the instrument has other terms.
local FIRST = 6
local function newest_before(stop)
  local found = redis.call('XREVRANGE', KEYS[1], stop, '-', 'COUNT', 1)
  return found[1] and found[1][1] or ''
end
local function appended_already()
  local count = (#ARGV - FIRST + 1) / 2
  local found = redis.call('XRANGE', KEYS[1], ARGV[FIRST], '+', 'COUNT', count + 1)
  if #found ~= count or newest_before('(' .. ARGV[FIRST]) ~= ARGV[1] then
    return 0
  end
  for index, entry in ipairs(found) do
    local arg = FIRST + 2 * (index - 1)
    if entry[1] ~= ARGV[arg] or entry[2][2] ~= ARGV[arg + 1] then
      return 0
    end
  end
  return 1
end
if ARGV[3] ~= '' and (redis.call('HGET', KEYS[2], 'revision') or '0') ~= ARGV[3] then
  return 0
end
if newest_before('+') ~= ARGV[1] then
  return appended_already()
end
for index = FIRST, #ARGV, 2 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], ARGV[index], 'json', ARGV[index + 1])
end
if ARGV[4] ~= '' then
  redis.pcall('PUBLISH', ARGV[4], ARGV[5]) -- where that is not permitted, others find the bars later
end
return 1
