"""Pages of backtests: one file of HTML each, which needs no network and sends nothing anywhere.

document    puts a page together: its policy, styles, scripts and data; writes it, or frames it for a notebook
parts       pieces that both pages have (pure); asked: what a test was asked for
thinning    fewer bars and points that hide no extreme (numpy, pure)
result      the page of one backtest: what it shows, and the data of its charts and table (pure); page.js draws them
sweep       the page of a sweep, or of a walk; heat: its maps of two parameters (pure)
style.css   what the dashboard's style lacks
"""
