"""Training: from tapes to a trained network."""
