"""The actors: one room for each thing of the outside world."""
