"""From a trained network to a released bundle: export, golden cases, and the gate."""
