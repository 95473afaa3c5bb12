"""`/v1/events` and `/v1/orders/{order_id}/events`: what happens to orders, as server-sent events or as a JSON page."""
