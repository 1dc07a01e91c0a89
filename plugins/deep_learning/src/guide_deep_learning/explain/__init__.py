"""Opening the black boxes of torch: taking a trace, and the rules that explain one.

    profiling    runs a program, or a project's task, under torch's profiler
    recorder     which steps pass, which are timed, which are recorded
    beats        finds the steps of a program that nobody prepared for it
    ending       ends that program, and its process
    interrupts   Ctrl-C, while something must not be left half done
    calibrating  what the profiler costs here, and what a few remedies would bring
    uneven       steps that take far longer than the others
    host/        rules for what the CPU does
    device/      rules for what a GPU does: facts, a replay of them, rules by family

A trace is data: no rule imports torch, and whoever reads one may have no torch at all.
"""
