"""An instrument's live state: its newest bar and the bars that policies read. It knows nothing of who calls it."""
