"""When markets trade, what time it is, and who looks when a bar is late."""
