"""Owner of Thespian: the in-process system, the base class of all our actors, and what they may ask of the world."""
