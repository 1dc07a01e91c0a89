"""Rules for what the CPU does in a trace of torch's: no torch is imported here."""
