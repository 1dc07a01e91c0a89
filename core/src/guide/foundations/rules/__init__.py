"""Rules that explain the run of any loop: each looks at a record and returns verdicts.

    seen          what the rules read of a record, with units, whatever it lacks
    deadlines     a span over budget; waking late
    pauses        garbage; pages from disk; pages new every tick
    processors    more threads than cores; the interpreter's lock
    lines         lines of the project that were sampled: loops, equal calls, single calls
    outside       time of a tick that lies in no span
    growth        memory that grows
    ceilings      a span far below what the machine can do; one that takes long now and then

A tick's wall time is from when it was due until it was done: in a free-running loop the same as
its work. What a verdict gives back is the mean of that over all ticks, before less after.
"""
