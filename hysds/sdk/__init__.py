"""For programs: submit jobs, watch them, cancel them.

Belongs here: `Client` and what it answers.
Does not belong here: printing, arguments of commands (`cli`), rules (`core`).
"""
