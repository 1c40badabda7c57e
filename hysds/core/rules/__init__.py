"""What causes jobs that nobody asked for: rules as values, and everything about them that values decide.

Belongs here: what a rule is and how it is written (`rule`), the set that is published (`published`), what a rule makes
of what happened (`mapping`, `actions`), whether it may (`lineage`), what is told of it (`telling`).
Does not belong here: reading events, submitting (`orchestrator.rules`), conditions as such (`core.conditions`).
"""
