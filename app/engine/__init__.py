"""Use cases: bars in, decisions, slices out. It names what it needs as ports and knows no store, model or protocol."""
