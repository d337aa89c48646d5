"""The dashboard: one page without a build step, served from these files, that works without a network.

pages      the files that are served, and the headers that bind the page to them
shot       what the page is told, once a second: made of a view (pure)
index.html, style.css, app.js
vendor/    uPlot and Lightweight Charts as they are published, with their licences and their hashes (`manifest.json`)
"""

from __future__ import annotations
