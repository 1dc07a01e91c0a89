"""Say in plain words where the time of a run or of a trace went.

    trace       the events of a trace as columns, its steps, what lies inside of what
    reading     from a file of trace events, however large or broken, to a Trace: `opening` unpacks,
                `stream` and `pftrace` take apart, `dialects` knows what each tool calls what,
                `columns` keeps what there is room for, `steps` finds the steps, `losses` counts
    source      from a function that a trace names to the lines that do it: `files`, `constructs`

What there is to say is said by rules, which plugins bring (`guide_diagnoses`): core's own are
those of any loop, a track's those of its libraries.
"""
