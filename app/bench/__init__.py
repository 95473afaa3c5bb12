"""`lem bench`: what the service costs, beside a bare handler and a bare script in the same run."""
