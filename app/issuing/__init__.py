"""`lem keys`: makes, lists and revokes API keys."""
