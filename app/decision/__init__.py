"""What decides, and nothing else: policies, the market that they read, and the one function that asks them."""
