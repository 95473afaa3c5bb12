-- KEYS: webhooks, progress, dead letters.  ARGV: id, name of this change.  Returns 1, or 0 where there is none.
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('UNLINK', KEYS[3])
redis.call('HSET', KEYS[1], 'changed', ARGV[2])
return 1
