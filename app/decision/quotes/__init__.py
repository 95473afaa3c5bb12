"""What an order may earn and cost, before it is sent: calibrated outcomes times the current volatility."""
