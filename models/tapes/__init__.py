"""Bars as training reads them."""
