-- KEYS: a claim. ARGV: the claim as it is believed to stand, the claim that is to stand instead.
-- Returns 1, or 0 where another claim stands there.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
