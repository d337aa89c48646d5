"""The settings of a running system: read anew, and taken by those who use them.

actor       reads them anew on request, all or none
"""
