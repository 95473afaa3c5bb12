"""Webhooks: events sent to the addresses that asked for them, as the Standard Webhooks convention says."""
