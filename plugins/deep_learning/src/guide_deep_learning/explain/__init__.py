"""Rules that explain a torch trace: what costs, why, where, and what mending it would give back.

    device/     traces with the work of a GPU: facts, a replay of them, rules by family

No torch is imported here: a trace is data, and whoever reads one may have no torch at all.
"""
