"""The desk's pages at `/desk`: what people see of the service, and do with it."""
