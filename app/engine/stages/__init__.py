"""The way of a bar to a slice, one stage a file, each over all instruments of a request at once.

check -> append -> close windows -> read the market -> decide -> project -> commit -> announce
"""
