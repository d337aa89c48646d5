"""Cancelling orders. Withdrawals: cancellations that wait for their order."""
