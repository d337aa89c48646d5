// The page of a backtest. All that is data is set as text, never as HTML.
"use strict";

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const rupees = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const prices = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 4 });
const whole = new Intl.NumberFormat("en-US");
const moment = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Kolkata", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const IST_S = 19800;
const ROWS = 100;

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const tone = (value) => (value > 0 ? "up" : value < 0 ? "down" : "");
const signed = (value) => (value > 0 ? "+" : "") + rupees.format(value);
const time = (milliseconds) => moment.format(milliseconds).replace(", ", " ");

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function sums(differences) {
  let sum = 0;
  return differences.map((each) => (sum += each));
}

// Price and fills.

let chart = null, candles = null, markers = null, shown = -1;

function seconds(symbol) {
  symbol.times ??= sums(symbol.seconds);
  return symbol.times;
}

function drawPrices(place) {
  const symbol = data.symbols[place], times = seconds(symbol);
  if (chart === null) {
    chart = LightweightCharts.createChart($("price"), {
      autoSize: true,
      layout: { background: { color: ink("--card") }, textColor: ink("--quiet"), attributionLogo: true },
      grid: { vertLines: { color: ink("--line") }, horzLines: { color: ink("--line") } },
      timeScale: { timeVisible: true, borderColor: ink("--line"), minBarSpacing: 0.01 },
      rightPriceScale: { borderColor: ink("--line") },
    });
    candles = chart.addSeries(LightweightCharts.CandlestickSeries, { upColor: ink("--up"), wickUpColor: ink("--up"), downColor: ink("--down"), wickDownColor: ink("--down"), borderVisible: false });
    markers = LightweightCharts.createSeriesMarkers(candles, []);
    chart.subscribeCrosshairMove(point);
  }
  shown = place;
  // The chart knows no zones: its times are shifted to India's.
  candles.setData(times.map((at, bar) => ({ time: at + IST_S, open: symbol.opens[bar], high: symbol.highs[bar], low: symbol.lows[bar], close: symbol.closes[bar] })));
  const marks = [...symbol.fills].sort((one, other) => one[0] - other[0]);
  markers.setMarkers(marks.map(([bar, side, quantity, price]) => ({
    time: times[bar] + IST_S, position: "atPriceMiddle", price,
    shape: side > 0 ? "arrowUp" : "arrowDown", color: side > 0 ? ink("--accent") : ink("--warn"), id: `${bar}`,
  })));
  symbol.byBar = new Map();
  for (const fill of marks) symbol.byBar.set(fill[0], [...(symbol.byBar.get(fill[0]) || []), fill]);
  $("joined").textContent = symbol.joined > 1
    ? `Up to ${whole.format(symbol.joined)} of ${whole.format(symbol.all)} candles are drawn as one, with the highest and the lowest price of all of them.`
    : "";
  chart.timeScale().fitContent();
}

function point(event) {
  const symbol = data.symbols[shown];
  const bar = event.time === undefined ? -1 : seconds(symbol).indexOf(event.time - IST_S);
  if (bar < 0) return;
  const fills = (symbol.byBar.get(bar) || []).map(([, side, quantity, price]) => `${side > 0 ? "bought" : "sold"} ${whole.format(quantity)} at ${prices.format(price)}`);
  const [open, high, low, close] = [symbol.opens, symbol.highs, symbol.lows, symbol.closes].map((each) => prices.format(each[bar]));
  $("at").textContent = [`${time(1000 * seconds(symbol)[bar])} open ${open} high ${high} low ${low} close ${close}`, ...fills].join(", ");
}

function lookAt(symbolName, from, to) {
  const place = data.symbols.findIndex((each) => each.name === symbolName);
  if (place < 0) return;
  if (place !== shown) {
    $("symbol").value = `${place}`;
    drawPrices(place);
  }
  const times = seconds(data.symbols[place]);
  const bar = (at) => { const found = times.findIndex((each) => each >= at / 1000); return found < 0 ? times.length - 1 : found; };
  const first = bar(from), last = bar(to), around = Math.max(20, last - first);
  chart.timeScale().setVisibleLogicalRange({ from: first - around, to: last + around });
  $("price").scrollIntoView({ block: "center" });
}

function showPrices() {
  data.symbols.forEach((symbol, place) => {
    const option = make("option", symbol.name);
    option.value = `${place}`;
    $("symbol").append(option);
  });
  $("symbol").addEventListener("change", () => drawPrices(Number($("symbol").value)));
  if (data.symbols.length) drawPrices(0);
}

// Curves.

function drawCurve(id, times, values, stroke, format, group) {
  const axis = { stroke: ink("--quiet"), grid: { stroke: ink("--line"), width: 1 }, ticks: { stroke: ink("--line"), width: 1 } };
  const place = $(id);
  const made = new uPlot({
    width: place.clientWidth, height: 180, legend: { show: true },
    cursor: { y: false, sync: { key: group } },
    scales: { x: { time: true } },
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Asia/Kolkata"),
    axes: [axis, { ...axis, size: 104, values: (_, ticks) => ticks.map(format) }],
    series: [
      { label: "time", value: (_, at) => (at === null ? "–" : time(1000 * at)) },
      { label: id, stroke, fill: `${stroke}22`, width: 1.5, value: (_, value) => (value === null ? "–" : format(value)) },
    ],
  }, [times, values], place);
  new ResizeObserver(() => made.setSize({ width: place.clientWidth, height: 180 })).observe(place);
}

function showCurves() {
  const times = sums(data.curve.milliseconds).map((each) => each / 1000);
  if (data.curve.equity) drawCurve("equity", times, data.curve.equity, ink("--accent"), (each) => rupees.format(each), "curve");
  if (data.curve.drawdown) drawCurve("drawdown", times, data.curve.drawdown, ink("--down"), (each) => `${(100 * each).toFixed(2)} %`, "curve");
}

// Trades.

const COLUMNS = [
  ["Symbol", "symbol", (at, trades) => trades.symbols[trades.symbol[at]]],
  ["Side", "side", (at, trades) => (trades.side[at] > 0 ? "long" : "short")],
  ["Quantity", "quantity", (at, trades) => whole.format(trades.quantity[at]), "number"],
  ["Entry", "entries", (at, trades) => time(trades.entries[at])],
  ["at", "entry_price", (at, trades) => prices.format(trades.entry_price[at]), "number"],
  ["Exit", "exits", (at, trades) => (trades.exit_price[at] === null ? "open" : time(trades.exits[at]))],
  ["at", "exit_price", (at, trades) => (trades.exit_price[at] === null ? "–" : prices.format(trades.exit_price[at])), "number"],
  ["Profit", "profit", (at, trades) => signed(trades.profit[at]), "number"],
  ["Charges", "charges", (at, trades) => rupees.format(trades.charges[at]), "number"],
  ["Net", "net", (at, trades) => signed(trades.net[at]), "number"],
];

function showTrades() {
  const trades = data.trades;
  trades.entries = sums(trades.entry);
  trades.exits = sums(trades.exit);
  let order = trades.net.map((_, at) => at), page = 0, by = -1, up = true;
  const head = make("tr");
  const cells = COLUMNS.map(([name, key, , kind], place) => {
    const cell = make("th", null, kind), button = make("button", name);
    cell.scope = "col";
    button.type = "button";
    button.addEventListener("click", () => {
      up = by === place ? !up : true;
      by = place;
      const values = trades[key], way = up ? 1 : -1, lost = (value) => (value === null ? -Infinity : value);
      order = trades.net.map((_, at) => at).sort((one, other) => way * (lost(values[one]) - lost(values[other])) || one - other);
      cells.forEach((each, at) => (at === place ? each.setAttribute("aria-sort", up ? "ascending" : "descending") : each.removeAttribute("aria-sort")));
      draw(0);
    });
    cell.append(button);
    return cell;
  });
  head.append(...cells);
  document.querySelector("#trades thead").append(head);
  const back = make("button", "Back"), on = make("button", "On"), where = make("span", "", "quiet");
  $("pager").append(back, where, on);
  back.addEventListener("click", () => draw(page - 1));
  on.addEventListener("click", () => draw(page + 1));

  function draw(wanted) {
    const pages = Math.max(1, Math.ceil(order.length / ROWS));
    page = Math.min(Math.max(0, wanted), pages - 1);
    const rows = order.slice(page * ROWS, (page + 1) * ROWS).map((at) => {
      const row = make("tr");
      for (const [, key, text, kind] of COLUMNS) row.append(make("td", text(at, trades), `${kind || ""} ${key === "net" || key === "profit" ? tone(trades[key][at]) : ""}`));
      row.addEventListener("click", () => lookAt(trades.symbols[trades.symbol[at]], trades.entries[at], trades.exits[at]));
      return row;
    });
    if (!rows.length) {
      const row = make("tr"), cell = make("td", "none", "quiet");
      cell.colSpan = COLUMNS.length;
      row.append(cell);
      rows.push(row);
    }
    document.querySelector("#trades tbody").replaceChildren(...rows);
    where.textContent = order.length ? `${whole.format(page * ROWS + 1)} to ${whole.format(Math.min(order.length, (page + 1) * ROWS))} of ${whole.format(order.length)}; a click shows where it was` : "";
    back.disabled = page === 0;
    on.disabled = page === pages - 1;
  }
  draw(0);
}

if (data.symbols) showPrices();
if (data.curve) showCurves();
if (data.trades) showTrades();
