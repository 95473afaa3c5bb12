"""When markets trade, and what time it is."""
