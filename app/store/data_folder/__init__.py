"""The files of the embedded store: who may read them, and whether they still hold what was acknowledged."""
