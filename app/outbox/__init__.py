"""Events of orders on their way out: one tail of the store's event streams feeds whoever follows them."""
