"""The Large Execution Model in torch."""
