"""The objective of training: orders rolled over stretches of bars, and the utility of what they earn."""
