"""How fast HySDS is, beside a peer or a floor measured in the same run: `./scripts/bench [NAME…] [--json]`.

Belongs here: one file a subject, what starts and ends the processes that it needs, and how a row is judged and printed.
Does not belong here: assertions (a test never measures time), and anything that the package needs at run time.
"""
