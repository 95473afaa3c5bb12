"""Share repurchases: what an early end earns over months of daily bars, beside published figures."""
