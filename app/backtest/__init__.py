"""The service's decisions over bar files: it calls the same `decide`, and holds orders as arrays."""
