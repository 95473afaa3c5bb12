"""Redis or Valkey as the only database: keys, codecs, scripts, and an embedded server."""
