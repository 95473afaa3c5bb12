"""Which bundle decides which order: the catalogue of bundles, the active one, pinned ones, and shadows."""
