"""Maintenance of the files: opened in whatever state they are, copied, checked, rewritten, archived by day.

`recovery.py` opens them and puts damaged ones aside; `copies.py` backs up and checks them while they are used;
`rebuilding.py` rewrites them while no system runs; `days.py` sorts days that are over and moves them to Parquet;
`folders.py` names the folders that their owner writes to.
"""
