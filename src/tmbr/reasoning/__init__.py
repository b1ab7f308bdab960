"""Better decisions from the same model: propose, judge, search; the baselines."""
