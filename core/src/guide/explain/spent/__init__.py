"""What the time of a step or of a tick is, before any rule has said what is wrong with it.

ticks       of a run: its spans, what none of them covers, and waking late
traced      of a trace: `device` where there is one, else `host`
doubts      why one may not call it well though no rule found anything
parts       parts of a time by name, and the largest of them
"""
