"""The service's decisions over bar files: the same `decide`, vectorised round it."""
