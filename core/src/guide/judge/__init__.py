"""The judge says if a learner's code is right, and if it is fast, on a machine that never is quiet.

`guide check` uses it through `guide.learn.exercises`. The parts, from the outside in: `manifest`
(what an exercise asks), `judging` (right, then fast), `verdict` (the arithmetic), `workers` and
`nursery` (processes and the clock), `worker` and `confine` (what runs your file, and what it may
not do), `codec` (how values cross).
"""
