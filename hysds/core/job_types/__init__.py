"""Job types as values: what files say of them, what a submission by type must give, what a type adds to a spec.

Belongs here: types and interfaces, how files of them are read, merged and objected to, how parameters are checked and
filled in; pure functions over values.
Does not belong here: finding and reading the files, publishing, calling creators (`orchestrator`); what settings allow
(`core.policies`).
"""
