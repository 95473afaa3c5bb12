"""What is fitted before the first step of training."""
