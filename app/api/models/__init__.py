"""Bundles over HTTP: the catalogue, activation, shadows and model cards."""
