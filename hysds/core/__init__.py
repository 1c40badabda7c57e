"""What a job is: frozen dataclasses and pure rules over them.

Belongs here: specs, ids, records, the table of transitions, retry policy, documents, errors.
Does not belong here: I/O, the clock, threads, chance; a function that needs one of them takes its value as an argument.
"""
