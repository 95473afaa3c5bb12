"""The Large Execution Model in torch: features, layers, training, export. Needs the `train` extra."""
