"""What a training may be told: the sizes of the network, how it is trained, on which markets."""
