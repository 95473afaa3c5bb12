-- KEYS: lease, webhooks, progress, dead letters.
-- ARGV: who delivers, id, progress (JSON), a dead letter (JSON, '' for none), dead letters kept.
-- Returns 1, or 0 and does nothing where somebody else delivers, or the webhook is gone.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then
  return 0
end
if ARGV[4] ~= '' then
  redis.call('XADD', KEYS[4], 'MAXLEN', ARGV[5], '*', 'json', ARGV[4])
end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
return 1
