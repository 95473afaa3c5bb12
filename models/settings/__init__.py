"""Settings of a training: the sizes of the network, how it is trained, on which markets."""
