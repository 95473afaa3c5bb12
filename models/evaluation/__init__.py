"""`lem evaluate`: what a bundle earns on bars it has not seen, beside baselines on the same orders.
Only `lem ablate` (ablation.py) trains and needs torch."""
