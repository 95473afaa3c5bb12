"""`lem data`: bar files from what users have, checked, with their gaps told. Needs no torch."""
