"""The way of a bar to a slice. Each stage runs over all instruments of a request at once.

check -> append -> close windows -> read the market -> decide -> project -> commit -> announce
"""
