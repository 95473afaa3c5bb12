"""The report of a backtest: one HTML page and plots, without a library and without a request to anybody."""
