"""Rules for traces with the work of a GPU.

    names           what a kernel, a copy or a call is, by its name
    work            what the device did, and the launch that asked for each piece of it
    threads         which threads launch work, and which operators are around a call
    waits           calls in which the host waited for the device, and what made it wait
    host            what the launching threads did, each nanosecond of it one thing
    replay          the same step again, with one cause taken away: how long would it take?
    causes          the idle time shared out: each nanosecond to one cause
    facts           all of this of one trace, worked out once
    telling         how figures are said
    loading, syncs, launching, copying, communicating, allocating, computing, health
                    the rules, by family
    rules           their names, as data

What a rule says can be had back is not guessed from a threshold. A step is a queue: the host puts
work in, the device takes it out, and now and then the host waits until the queue is empty. The
trace says when each of these happened, so the step can be played again without one of its faults.
What the replay saves is what the fault costs. A wait while the device was busy saves nothing.
"""
