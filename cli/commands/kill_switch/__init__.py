"""`natya kill-switch …`: halt everything, by the file `HALT` and through the running system.

The file is the switch: it is written first, and works where the system does not answer.
"""
