"""`/v1/bars/stream`: a WebSocket on which a feed sends bars, each message of it acknowledged."""
