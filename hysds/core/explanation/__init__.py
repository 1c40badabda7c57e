"""Why a job stands where it stands, what it waits for, and what happens next.

Belongs here: reasons and their sentences, pure functions over what was seen of a job.
Does not belong here: the looking (`sdk`), the printing (`cli`), the rules that a reason tells of (`core` itself).
"""
