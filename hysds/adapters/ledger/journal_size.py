"""What an entry of the journal takes beside its text, in every journal alike."""

ENTRY_BYTES = 64
"""As in lua/journal/tell.lua."""
