"""`lem data`: makes bar files from users' files, checks them and reports their gaps. Needs no torch."""
