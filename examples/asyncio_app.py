"""natya inside an asyncio program: listen to fills while it trades, ask its database, and stop it in order.

python examples/asyncio_app.py [SECONDS]        # of a made-up market, ten times as fast as time passes
"""

import asyncio
import sys
import tempfile

import natya


async def tell(fills: asyncio.Queue[natya.OrderFilled]) -> None:
    """Print each fill."""
    while True:
        fill = await fills.get()
        print(f"{fill.side} {fill.quantity} {fill.symbol} at {fill.price:,.2f}", flush=True)


async def main(seconds: float) -> None:
    """Trade on paper with the default strategy; the loop is free meanwhile, for other work of the program."""
    with tempfile.TemporaryDirectory() as data_dir:
        market = {"feed.duration_s": seconds, "feed.speed": 10.0, "feed.symbols": ["TCS", "INFY"]}
        settings = natya.load_settings("paper", overrides={**market, "system.data_dir": data_dir})
        async with natya.TradingSystem(settings) as system:
            fills: asyncio.Queue[natya.OrderFilled] = asyncio.Queue()
            loop = asyncio.get_running_loop()
            facts = natya.EventSubscriber(system.runtime).of(natya.OrderFilled)
            facts.handle_durably("fills", lambda fill: loop.call_soon_threadsafe(fills.put_nowait, fill))
            telling = asyncio.create_task(tell(fills))
            await asyncio.to_thread(system.await_end)
            newest = await system.market_data.latest("TCS")
            summary = await asyncio.to_thread(system.stop)
            telling.cancel()
        print(f"TCS at {newest.data.price:,.2f}")
        print(f"{summary.orders} orders, {summary.realized_pnl + summary.unrealized_pnl:+,.2f} rupees")


if __name__ == "__main__":
    asyncio.run(main(*map(float, sys.argv[1:2] or ["60"])))
