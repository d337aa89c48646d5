// The dashboard. All that comes from the system is set as text, never as HTML.
"use strict";

const $ = (id) => document.getElementById(id);
const rupees = new Intl.NumberFormat("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const whole = new Intl.NumberFormat("en-IN");
const clock = new Intl.DateTimeFormat("en-IN", { timeZone: "Asia/Kolkata", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const IST_S = 19800;
const KEPT = 600;

let token = takeToken();
let symbol = null;
let before = null;
const history = { times: [], profit: [] };
const sparks = new Map();
const openings = new Map();

function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found) {
    sessionStorage.setItem("token", found);
    window.history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token");
}

function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function row(cells) {
  const line = make("tr");
  for (const cell of cells) {
    if (cell instanceof Node) {
      const holder = make("td");
      holder.append(cell);
      line.append(holder);
    } else {
      const [text, className] = Array.isArray(cell) ? cell : [cell, ""];
      line.append(make("td", text, className));
    }
  }
  return line;
}

function fill(id, lines, empty, columns) {
  if (!lines.length) {
    const line = make("tr");
    const cell = make("td", empty, "quiet");
    cell.colSpan = columns;
    line.append(cell);
    lines = [line];
  }
  $(id).replaceChildren(...lines);
}

const signed = (value) => (value > 0 ? "+" : "") + rupees.format(value);
const tone = (value) => (value > 0 ? "up" : value < 0 ? "down" : "");

function figure(id, text, className) {
  $(id).textContent = text;
  $(id).className = className || "";
}

function pill(id, text, kind) {
  $(id).textContent = text;
  $(id).className = `pill ${kind}`;
}

// What is asked.

async function ask(path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error || told.reason || `answer ${answer.status}`);
  return told;
}

async function query(sql, ...parameters) {
  return (await ask("/v1/query", { sql, parameters, rows_max: 1000, timeout_s: 5 })).rows;
}

async function listen() {
  for (let wait = 1; ; wait = Math.min(wait * 2, 15)) {
    try {
      const answer = await fetch("/v1/stream", { headers: { Authorization: `Bearer ${token}` }, cache: "no-store" });
      if (answer.status === 401 || answer.status === 429) {
        await wantToken();
        continue;
      }
      if (!answer.ok) throw new Error(`answer ${answer.status}`);
      wait = 1;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ""; ;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        const parts = text.split("\n\n");
        text = parts.pop();
        for (const part of parts) {
          if (part.startsWith("data: ")) show(JSON.parse(part.slice(6)));
        }
      }
    } catch (fault) {
      console.warn(fault);
    }
    pill("ready", "not connected", "bad");
    banner("The system does not answer. What is shown is old.");
    await new Promise((done) => setTimeout(done, wait * 1000));
  }
}

function wantToken() {
  return new Promise((done) => {
    const dialog = $("ask-token");
    dialog.addEventListener("close", () => {
      token = $("token").value.trim();
      sessionStorage.setItem("token", token);
      done();
    }, { once: true });
    dialog.showModal();
  });
}

function banner(text) {
  $("banner").textContent = text;
  $("banner").hidden = !text;
}

// What is shown once a second.

function show(shot) {
  pill("ready", shot.ready ? "ready" : "not ready", shot.ready ? "good" : "bad");
  const risk = shot.risk_state;
  pill("risk", risk, risk === "NORMAL" ? "good" : risk === "HALTED" ? "bad" : "warn");
  $("clock").textContent = `${clock.format(shot.time_ms)} IST`;
  banner(shot.ready ? "" : shot.reason);
  document.title = `${shot.ready ? "" : "! "}natya`;
  showFigures(shot);
  showPrices(shot);
  showPositions(shot);
  showActors(shot);
  showTimings(shot);
  before = shot;
}

function showFigures(shot) {
  const orders = shot.orders;
  if (orders) {
    const realized = Number(orders.realized);
    const open = orders.unrealized === null ? null : Number(orders.unrealized);
    figure("realized", signed(realized), tone(realized));
    figure("unrealized", open === null ? "no price" : signed(open), open === null ? "warning" : tone(open));
    figure("submitted", whole.format(orders.submitted));
    figure("fills", whole.format(orders.fills));
    figure("rejected", whole.format(orders.rejected), orders.rejected ? "warning" : "");
    figure("open", whole.format(orders.open));
    figure("uncertain", whole.format(orders.uncertain), orders.uncertain ? "down" : "");
    if (open !== null) addToCurve(shot.time_ms / 1000, realized + open);
  }
  if (before && before.feed && shot.feed && shot.time_ms > before.time_ms) {
    figure("rate", whole.format(Math.round(1000 * (shot.feed.ticks - before.feed.ticks) / (shot.time_ms - before.time_ms))));
  }
  if (shot.dead_letters !== null) figure("dead", whole.format(shot.dead_letters), shot.dead_letters ? "warning" : "");
}

function showPrices(shot) {
  const lines = [];
  for (const [name, price] of Object.entries(shot.prices)) {
    if (!openings.has(name)) openings.set(name, price);
    const spark = sparks.get(name) || [];
    spark.push(price);
    if (spark.length > 120) spark.shift();
    sparks.set(name, spark);
    const change = 100 * (price / openings.get(name) - 1);
    const chosen = make("button", name, "link");
    chosen.type = "button";
    chosen.setAttribute("aria-label", `Candles of ${name}`);
    chosen.addEventListener("click", () => choose(name));
    lines.push(row([chosen, [rupees.format(price), "number"], [`${change >= 0 ? "+" : ""}${change.toFixed(2)} %`, `number ${tone(change)}`], sparkline(spark)]));
    if (symbol === null) choose(name);
  }
  if (shot.prices_left_out) lines.push(row([[`and ${shot.prices_left_out} more`, "quiet"]]));
  refill("prices", lines, "no price yet", 4);
}

function sparkline(values) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("class", "spark");
  picture.setAttribute("viewBox", "0 0 120 24");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  const low = Math.min(...values), high = Math.max(...values), width = Math.max(values.length - 1, 1);
  const points = values.map((value, at) => `${(120 * at / width).toFixed(1)},${high === low ? 12 : (22 - 20 * (value - low) / (high - low)).toFixed(1)}`);
  const line = document.createElementNS(space, "polyline");
  line.setAttribute("points", points.join(" "));
  picture.append(line);
  return picture;
}

function showPositions(shot) {
  const lines = (shot.orders ? shot.orders.positions : []).map((each) => {
    const realized = Number(each.realized), open = each.unrealized === null ? null : Number(each.unrealized);
    return row([
      each.symbol,
      [whole.format(each.quantity), `number ${tone(each.quantity)}`],
      [each.quantity ? rupees.format(Number(each.average_price)) : "–", "number"],
      [each.last_price === null ? "–" : rupees.format(each.last_price), "number"],
      [signed(realized), `number ${tone(realized)}`],
      [open === null ? (each.quantity ? "no price" : "–") : signed(open), `number ${tone(open)}`],
    ]);
  });
  fill("positions", lines, "none", 6);
}

function showActors(shot) {
  const lines = shot.components.map((each) => {
    const kind = each.health === "ok" ? "up" : each.health === "down" ? "down" : "warning";
    const name = make("span", each.name);
    name.style.paddingLeft = `${each.depth * 14}px`;
    const state = each.state ? each.state.toLowerCase() : each.health;
    return row([name, [each.health === "degraded" ? `${state}, degraded` : state, kind], [whole.format(each.restarts), "number"], [whole.format(each.waiting), "number"], [each.reason || each.last_error, "quiet"]]);
  });
  fill("actors", lines, "the system does not say", 5);
}

const within = (ms) => (ms === null ? "–" : ms < 0 ? "over 10 s" : ms < 1 ? `${1000 * ms} µs` : ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

function showTimings(shot) {
  fill("timings", shot.timings.map((each) => row([each.name, [whole.format(each.count), "number"], [within(each.p50_ms), "number"], [within(each.p99_ms), "number"]])), "nothing was timed yet", 4);
  fill("budgets", shot.budgets.map((each) => row([each.kind, each.window, [whole.format(each.remaining), `number ${each.remaining ? "" : "down"}`]])), "no broker counts requests here", 3);
  const parts = [];
  if (shot.disk_free_bytes !== null) parts.push(`${(shot.disk_free_bytes / 2 ** 30).toFixed(1)} GiB free on disk`);
  if (shot.token_ends_ms) parts.push(`access token until ${clock.format(shot.token_ends_ms)} IST`);
  $("machine").textContent = parts.join(", ");
}

// Charts.

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let curve = null;

function addToCurve(time, profit) {
  history.times.push(time);
  history.profit.push(profit);
  if (history.times.length > KEPT) {
    history.times.shift();
    history.profit.shift();
  }
  if (curve === null) curve = makeCurve();
  curve.setData([history.times, history.profit]);
}

function makeCurve() {
  const axis = { stroke: ink("--quiet"), grid: { stroke: ink("--line"), width: 1 }, ticks: { stroke: ink("--line"), width: 1 } };
  const place = $("equity");
  const chart = new uPlot({
    width: place.clientWidth, height: 180, legend: { show: false }, cursor: { y: false },
    scales: { x: { time: true } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Asia/Kolkata"),
    axes: [axis, { ...axis, size: 70, values: (_, ticks) => ticks.map((each) => rupees.format(each)) }],
    series: [{}, { stroke: ink("--accent"), width: 2, spanGaps: true }],
  }, [history.times, history.profit], place);
  new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: 180 })).observe(place);
  return chart;
}

let candles = null, markers = null;

function choose(name) {
  symbol = name;
  $("symbol").textContent = name;
  drawCandles();
}

const CANDLES = `
select exchange_ns // 60000000000 * 60 as start_s, arg_min(price, exchange_ns), max(price), min(price), arg_max(price, exchange_ns)
from ticks where symbol = ? group by 1 order by 1 desc limit 240`;
const FILLS = "select traded_ns // 1000000000, side, quantity, price from fills where symbol = ? order by sequence desc limit 200";

async function drawCandles() {
  if (symbol === null) return;
  const of = symbol;
  let rows, fills;
  try {
    [rows, fills] = await Promise.all([query(CANDLES, of), query(FILLS, of)]);
  } catch (fault) {
    console.warn(fault);
    return;
  }
  if (of !== symbol) return;
  if (candles === null) {
    const chart = LightweightCharts.createChart($("candles"), {
      autoSize: true,
      layout: { background: { color: ink("--card") }, textColor: ink("--quiet"), attributionLogo: true },
      grid: { vertLines: { color: ink("--line") }, horzLines: { color: ink("--line") } },
      timeScale: { timeVisible: true, borderColor: ink("--line") },
      rightPriceScale: { borderColor: ink("--line") },
    });
    candles = chart.addSeries(LightweightCharts.CandlestickSeries, { upColor: ink("--up"), wickUpColor: ink("--up"), downColor: ink("--down"), wickDownColor: ink("--down"), borderVisible: false });
    markers = LightweightCharts.createSeriesMarkers(candles, []);
  }
  // The chart knows no zones: its times are shifted to India's.
  candles.setData(rows.reverse().map(([time, open, high, low, close]) => ({ time: Number(time) + IST_S, open, high, low, close })));
  const first = rows.length ? Number(rows[0][0]) : 0;
  const known = fills.filter(([time]) => Number(time) >= first).reverse();
  const sums = new Map(); // One mark a candle and side: the quantity of its fills.
  for (const [time, side, quantity] of known) {
    const key = `${Math.floor(Number(time) / 60) * 60 + IST_S} ${side}`;
    sums.set(key, (sums.get(key) || 0) + quantity);
  }
  markers.setMarkers([...sums].map(([key, quantity]) => {
    const [time, side] = key.split(" ");
    return {
      time: Number(time),
      position: side === "BUY" ? "belowBar" : "aboveBar",
      shape: side === "BUY" ? "arrowUp" : "arrowDown",
      color: side === "BUY" ? ink("--up") : ink("--down"),
      text: whole.format(quantity),
    };
  }));
}

// Orders, and the life of one.

const ORDERS = `
select changed_ns // 1000000, coalesce(strategy, ''), coalesce(symbol, ''), coalesce(side, ''), quantity, coalesce(order_type, ''),
filled_quantity, case when filled_quantity > 0 then (filled_value / filled_quantity)::double end, state, reason, client_order_id
from orders order by changed_sequence desc limit 25`;

async function drawOrders() {
  let rows;
  try {
    rows = await query(ORDERS);
  } catch (fault) {
    fill("orders", [], `the database does not answer: ${fault.message}`, 10);
    return;
  }
  const bad = new Set(["REJECTED", "REFUSED", "UNKNOWN"]);
  refill("orders", rows.map(([time, strategy, name, side, quantity, type, filled, average, state, reason, id]) => {
    const button = make("button", id, "link mono");
    button.type = "button";
    button.setAttribute("aria-label", `The life of order ${id}`);
    button.addEventListener("click", () => showLife(id));
    return row([
      clock.format(Number(time)), strategy, name, [side, side === "BUY" ? "up" : "down"], [quantity === null ? "–" : whole.format(quantity), "number"], type,
      [whole.format(filled), "number"], [average === null ? "–" : rupees.format(average), "number"], [reason ? `${state}: ${reason}` : state, bad.has(state) ? "down" : ""], button,
    ]);
  }), "no order yet", 10);
}

async function showLife(id) {
  $("life-id").textContent = id;
  fill("life-facts", [], "asking…", 3);
  $("life").showModal();
  try {
    const rows = await query("select recorded_ns // 1000000, fact_type, fact from facts where fact like ? order by sequence limit 100", `%${id}%`);
    fill("life-facts", rows.map(([time, type, fact]) => row([clock.format(Number(time)), type, [fact, "mono"]])), "no fact of it is projected yet", 3);
  } catch (fault) {
    fill("life-facts", [], fault.message, 3);
  }
}

// Strategies, dead letters, and the log.

function sure(title, text, action) {
  return new Promise((done) => {
    $("sure-title").textContent = title;
    $("sure-text").textContent = text;
    $("sure-yes").textContent = action;
    $("ask-sure").returnValue = "";
    $("ask-sure").addEventListener("close", () => done($("ask-sure").returnValue === "yes"), { once: true });
    $("ask-sure").showModal();
  });
}

// A button that has the focus keeps it, though its table is drawn anew.
function refill(id, lines, empty, columns) {
  const focused = document.activeElement && document.activeElement.closest(`#${id}`) ? document.activeElement.getAttribute("aria-label") : null;
  fill(id, lines, empty, columns);
  if (focused) [...$(id).querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
}

function action(text, label, work) {
  const button = make("button", text, "link");
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.addEventListener("click", async () => {
    try {
      await work();
    } catch (fault) {
      banner(`${label}: not done. ${fault.message}`);
    }
  });
  return button;
}

async function drawStrategies() {
  let told;
  try {
    told = (await ask("/v1/list-strategies")).strategies;
  } catch (fault) {
    fill("strategies", [], `strategies do not answer: ${fault.message}`, 5);
    return;
  }
  refill("strategies", told.map((each) => {
    const runs = each.state === "RUNNING";
    const name = make("span", each.name);
    name.title = each.strategy;
    const button = each.state === "STOPPED"
      ? action("Start", `Start ${each.name}`, async () => {
        if (await sure(`Start ${each.name}?`, "It trades again from the next tick on.", "Start")) await ask("/v1/start-strategy", { name: each.name });
        await drawStrategies();
      })
      : action("Stop", `Stop ${each.name}`, async () => {
        if (await sure(`Stop ${each.name}?`, "It hears nothing more until a person starts it. What it holds stays, and so do its orders, unless it has them cancelled.", "Stop")) await ask("/v1/stop-strategy", { name: each.name });
        await drawStrategies();
      });
    return row([name, [each.state.toLowerCase(), runs ? "up" : each.state === "STOPPED" ? "" : "warning"], [whole.format(each.restarts), "number"], [each.error, "quiet"], button]);
  }), "none", 5);
}

async function drawLetters() {
  let told;
  try {
    told = await ask("/v1/list-dead-letters?rows_max=20");
  } catch (fault) {
    fill("letters", [], `delivery does not answer: ${fault.message}`, 5);
    return;
  }
  $("letters-found").textContent = told.found ? `${whole.format(told.found)}, the oldest` : "none";
  const requeued = new Set(told.requeued);
  refill("letters", told.letters.map((each) => row([
    clock.format(each.last_failed_ns / 1e6), [each.letter_id, "mono"], each.event.event_type, [`${each.error}: ${each.reason}`, "quiet"],
    requeued.has(each.letter_id) ? ["on its way", "quiet"] : action("Requeue", `Requeue ${each.letter_id}`, async () => {
      if (!await sure(`Requeue ${each.letter_id}?`, `${each.subscription} is given this event once more, after ${each.attempts} attempts.`, "Requeue")) return;
      const done = await ask("/v1/change-dead-letters", { letter_ids: [each.letter_id], change: "requeued" });
      if (done.refusal) throw new Error(done.refusal);
      await drawLetters();
    }),
  ])), "none", 5);
}

async function drawLog() {
  let told;
  try {
    told = await ask(`/v1/read-log?lines_max=100&level=${$("log-level").value}`);
  } catch (fault) {
    fill("log", [], `the log is not told: ${fault.message}`, 5);
    return;
  }
  const place = $("log-lines");
  const followed = place.scrollTop + place.clientHeight >= place.scrollHeight - 8; // else somebody reads further up
  fill("log", told.lines.map((each) => row([
    clock.format(new Date(each.time)), [each.level, each.level === "error" ? "down" : each.level === "warning" ? "warning" : "quiet"], each.actor, each.event, [each.told, "quiet mono"],
  ])), told.reason || "nothing of this level", 5);
  if (followed) place.scrollTop = place.scrollHeight;
}

$("log-level").addEventListener("change", drawLog);

async function drawAlarms() {
  let lines;
  try {
    const told = await ask("/v1/alarms");
    lines = told.alarms.map((each) => {
      const line = make("li");
      line.append(make("strong", each.severity === "critical" ? "Critical: " : "Warning: ", each.severity === "critical" ? "down" : "warning"), each.text);
      return line;
    });
  } catch (fault) {
    lines = [make("li", `alarms do not answer: ${fault.message}`, "down")];
  }
  const list = lines.length ? lines : [make("li", "none", "quiet")];
  // Spoken only when it has changed.
  if ($("alarms").textContent !== list.map((each) => each.textContent).join("")) $("alarms").replaceChildren(...list);
}

$("kill").addEventListener("click", () => {
  $("kill-reason").value = "";
  $("kill-flatten").checked = false;
  $("ask-kill").returnValue = "";
  $("ask-kill").showModal();
});
$("ask-kill").addEventListener("close", async () => {
  if ($("ask-kill").returnValue !== "kill") return;
  try {
    const told = await ask("/v1/engage-kill-switch", { reason: $("kill-reason").value, person: "dashboard", flatten: $("kill-flatten").checked });
    banner(told.problem ? `Halted, but: ${told.problem}` : `Halted. ${told.cancelling} orders are being cancelled.`);
  } catch (fault) {
    banner(`The kill switch was not engaged: ${fault.message}. Use natya kill-switch on, or a file HALT in the data directory.`);
  }
});

async function again(work, seconds) {
  for (; ;) {
    if (token && !document.hidden) await work();
    await new Promise((done) => setTimeout(done, 1000 * seconds));
  }
}

(async () => {
  if (!token) await wantToken();
  listen();
  again(drawOrders, 3);
  again(drawAlarms, 5);
  again(drawStrategies, 5);
  again(drawLetters, 5);
  again(drawLog, 5);
  again(drawCandles, 10);
})();
