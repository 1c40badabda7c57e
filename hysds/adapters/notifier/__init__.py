"""Telling people and programs outside, by mail servers and webhooks.

Belongs here: messages as mail has them, calls as webhooks have them, and their twin for tests.
Does not belong here: who is told of what (creators, rules), where a call may go (`lib.egress`).
"""
