"""Who may do what: API keys, their scopes, and how often a key may call."""
