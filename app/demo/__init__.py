"""`lem demo`: a small OMS and feed that use the service as anybody would, over HTTP."""
