"""Bars as arrays: read from files, aggregated, gaps filled, or simulated: shared by service, backtest and training."""
