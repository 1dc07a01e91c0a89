"""Say in plain words where the time of a run or of a trace went.

    trace       the events of a trace as columns, its steps, what lies inside of what
    reading     from a file of trace events, however large or broken, to a Trace: `opening` unpacks,
                `stream` and `pftrace` take apart, `dialects` knows what each tool calls what,
                `columns` keeps what there is room for, `steps` finds the steps, `losses` counts
    source      from a function that a trace names to the lines that do it (`constructs`)
    target      from what was typed, a trace, a run or a function, to an Answer
    answer      the verdicts, ranked, and what mending them would give together
    spent/      what the time of a step is, and what limits it
    telling     an answer as text for a terminal
    page        the same as a page, with a step drawn (`lanes`, `drawing`)
    written     the same as JSON
    crowd       other programs on the processors, and what that does to a time
    versus      two answers: what got better, and whether as much as was promised
    kept        the promise for a run, kept until the next
    profiling   takes the traces of `guide profile`
    numba/      what Numba did to a function

What there is to say is said by rules, which plugins bring (`guide_diagnoses`): core's own are
those of any loop, a track's those of its libraries.
"""
