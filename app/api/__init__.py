"""The HTTP edge: parse strictly, call the engine once, map the answer. Pydantic lives here."""
