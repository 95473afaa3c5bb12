"""`/v1/webhooks`: addresses that events are sent to."""
