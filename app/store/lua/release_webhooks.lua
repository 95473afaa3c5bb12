-- KEYS: lease.  ARGV: who lets go.  Returns 1, or 0 where somebody else holds it.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
