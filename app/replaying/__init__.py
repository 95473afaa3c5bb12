"""`lem replay`: a past order, decided again from the stored bars."""
