"""How it learns: AdamW, Muon, and the learning rate as a pure function of the step."""
