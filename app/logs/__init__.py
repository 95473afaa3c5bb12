"""How the log looks: JSON lines, repeats as counts, tracebacks that quote nobody."""
