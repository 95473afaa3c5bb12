"""Which process decides for an instrument, where several share one store, and what they tell each other."""
