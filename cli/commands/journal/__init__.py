"""`natya journal …`: the files of the journal, of a running system too.

None of them ends well on a damaged journal, wherever the damage is: what was asked for may lie before it, or behind.
"""
