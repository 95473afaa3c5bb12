"""`lem quote`: a quote from a bar file, by the service's own way."""
