"""`python -m natya_unlimited`: natya that asks its broker at any rate: by Dhan's limits 10,000 orders are ten hours."""

from natya.actors.broker.bodies.dhan import service
from natya.cli import main
from natya.composition import UNLIMITED

KINDS = tuple(service.limits_on(service.date.max))

if __name__ == "__main__":
    service.limits_on = lambda _: dict.fromkeys(KINDS, UNLIMITED)
    main()
