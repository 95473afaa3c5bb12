"""What training maximises: orders rolled over stretches of bars, and the utility of what they earn."""
