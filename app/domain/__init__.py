"""The words of the trade as plain, frozen values: standard library only, no clock, no input or output."""
