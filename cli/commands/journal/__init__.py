"""`natya journal …`: read the journal files, also those of a running system.

On a damaged journal every one of them exits with an error, even if the records asked for are before the damage.
"""
