"""`lem calibrate`: measures what a bundle's orders earn, and writes it into the card for quotes to rest on."""
