"""From tapes to a trained network."""
