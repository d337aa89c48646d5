// The curve of the profit and the candles, in the colours of the page.
"use strict";

import { $, clock, ink, rupees, say, signed, tone } from "./base.js";
import { ask, query } from "./link.js";

const IST_S = 19_800;
const LIVE_MAX = 3_600; // samples of this page behind those of the system
const DARK = window.matchMedia("(prefers-color-scheme: dark)");

let past = { times: [], profit: [] };
let live = { times: [], profit: [] };
let curve = null;
let candles = null;
let markers = null;
let chart = null;
let symbol = null;
let market = 0;

// What the system has kept of the profit since it started; then this page goes on by itself, once a second.
export async function readCurve() {
  let told;
  try {
    told = await ask("/v1/read-profit-curve");
  } catch (fault) {
    console.warn(fault);
    return;
  }
  past = { times: told.times_ns.map((each) => each / 1e9), profit: told.realized.map((each, place) => each + told.unrealized[place]) };
  const known = past.times.at(-1) ?? 0;
  const from = live.times.findIndex((each) => each > known);
  live = from < 0 ? { times: [], profit: [] } : { times: live.times.slice(from), profit: live.profit.slice(from) };
  drawCurve();
}

export function addToCurve(time, profit) {
  live.times.push(time);
  live.profit.push(profit);
  if (live.times.length > LIVE_MAX) {
    live.times.shift();
    live.profit.shift();
  }
  drawCurve();
}

function drawCurve() {
  const times = [...past.times, ...live.times], profit = [...past.profit, ...live.profit];
  if (curve === null) curve = makeCurve();
  curve.setData([times, profit]);
  if (!times.length) return;
  const low = Math.min(...profit), high = Math.max(...profit), newest = profit.at(-1);
  say("curve-told", `${signed(low)} to ${signed(high)} since ${clock.format(1000 * times[0])}`);
  $("equity").setAttribute("aria-label", `Curve of the profit before charges: ${signed(newest)} now, ${signed(low)} at the lowest, ${signed(high)} at the highest`);
}

function makeCurve() {
  const axis = { stroke: ink("--quiet"), font: `12px ${getComputedStyle(document.body).fontFamily}`, grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false } };
  const place = $("equity");
  const shape = () => ({ width: Math.max(place.clientWidth, 40), height: Math.max(place.clientHeight, 40) });
  const made = new uPlot({
    ...shape(), legend: { show: false }, cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, low, high) => (low === high ? [low - 1, high + 1] : uPlot.rangeNum(low, high, 0.1, true)) } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Asia/Kolkata"),
    axes: [
      { ...axis, space: 72, values: (_, ticks) => ticks.map((each) => clock.format(1000 * each)) },
      { ...axis, size: 78, values: (_, ticks) => ticks.map((each) => rupees(each)) },
    ],
    series: [{}, { stroke: ink("--accent"), width: 2, spanGaps: true, points: { show: false }, fill: ink("--accent-soft") }],
  }, [[], []], place);
  new ResizeObserver(() => made.setSize(shape())).observe(place);
  return made;
}

export const chosen = () => symbol;

export function choose(name) {
  symbol = name;
  say("symbol", name);
  drawCandles();
}

export function marketAt(ms) {
  market = ms;
}

const HOURS_S = 6 * 3600;
const CANDLES = `
select exchange_ns // 60000000000 * 60 as start_s, arg_min(price, exchange_ns), max(price), min(price), arg_max(price, exchange_ns)
from ticks where symbol = ? and exchange_ns >= ? group by 1 order by 1 desc limit 240`;
const FILLS = `
select traded_ns // 1000000000, side from fills
where symbol = ? and account = (select account from projection) order by sequence desc limit 200`;

export async function drawCandles() {
  if (symbol === null) return;
  const of = symbol;
  let rows, fills;
  try {
    [rows, fills] = await Promise.all([query(CANDLES, of, market ? (Math.floor(market / 1000) - HOURS_S) * 1e9 : 0), query(FILLS, of)]);
  } catch (fault) {
    say("candle-told", `the database does not answer: ${fault.message}`, "quiet down");
    return;
  }
  if (of !== symbol) return;
  if (candles === null) makeCandles();
  // The chart knows no zones: its times are shifted to India's.
  candles.setData(rows.reverse().map(([time, open, high, low, close]) => ({ time: Number(time) + IST_S, open, high, low, close })));
  markers.setMarkers(marksOf(fills, rows.length ? Number(rows[0][0]) : Infinity));
  tellCandle(rows.at(-1));
}

function tellCandle(newest) {
  if (!newest) {
    say("candle-told", "no tick of it is recorded yet", "quiet");
    return;
  }
  const [, open, high, low, close] = newest;
  say("candle-told", `O ${rupees(open)}  H ${rupees(high)}  L ${rupees(low)}  C ${rupees(close)}`, `quiet mono ${tone(close - open)}`);
  $("candles").setAttribute("aria-label", `Candles of a minute of ${symbol} with own fills; the newest opened at ${rupees(open)}, highest ${rupees(high)}, lowest ${rupees(low)}, last ${rupees(close)}`);
}

// One mark a candle and side.
function marksOf(fills, first) {
  const known = fills.filter(([when]) => Number(when) >= first).reverse();
  const marks = new Set(known.map(([time, side]) => `${Math.floor(Number(time) / 60) * 60 + IST_S} ${side}`));
  return [...marks].map((mark) => {
    const [time, side] = mark.split(" ");
    const buys = side === "BUY";
    return { time: Number(time), position: buys ? "belowBar" : "aboveBar", shape: buys ? "arrowUp" : "arrowDown", color: ink(buys ? "--up" : "--down"), size: 1 };
  });
}

function makeCandles() {
  chart = LightweightCharts.createChart($("candles"), {
    autoSize: true,
    ...colours(),
    crosshair: { mode: 0 },
    timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 4, barSpacing: 9, borderColor: ink("--line") },
    localization: { priceFormatter: rupees },
  });
  candles = chart.addSeries(LightweightCharts.CandlestickSeries, bars());
  markers = LightweightCharts.createSeriesMarkers(candles, []);
}

const colours = () => ({
  layout: { background: { color: ink("--card") }, textColor: ink("--quiet"), fontSize: 12, attributionLogo: true },
  grid: { vertLines: { color: ink("--line") }, horzLines: { color: ink("--line") } },
  rightPriceScale: { borderColor: ink("--line") },
});

const bars = () => ({ upColor: ink("--up"), wickUpColor: ink("--up"), downColor: ink("--down"), wickDownColor: ink("--down"), borderVisible: false });

// Day and night change while the page is open.
DARK.addEventListener("change", () => {
  if (curve !== null) {
    curve.destroy();
    curve = null;
    drawCurve();
  }
  if (chart !== null) {
    chart.applyOptions(colours());
    candles.applyOptions(bars());
    drawCandles();
  }
});
