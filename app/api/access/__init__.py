"""Who may call: keys, scopes, foreign pages, and how often."""
