"""The dashboard: one page without a build step, served from these files, that works without a network.

pages      the files that are served, and the headers that bind the page to them
shot       what the page is told, once a second: made of a view (pure)
index.html, style.css
app.js     what is shown each second, and the kill switch; base.js: elements, numbers, tables; link.js: what is asked,
           and the stream; charts.js; trading.js: prices, positions, orders; system.js: all else
vendor/    uPlot and Lightweight Charts as they are published, with their licences and their hashes (`manifest.json`)
"""

from __future__ import annotations
