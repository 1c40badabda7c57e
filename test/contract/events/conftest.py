"""The event streams that the suite runs over: each is the stream of a ledger of its kind."""

from contract.ledger.conftest import clock, events, ledger, parts

__all__ = ["clock", "events", "ledger", "parts"]
