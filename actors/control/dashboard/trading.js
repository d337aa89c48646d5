// Prices, positions, orders and the life of one.
"use strict";

import { $, button, clock, fill, make, moment, row, rupees, say, signed, stacked, tone, whole } from "./base.js";
import { choose, chosen } from "./charts.js";
import { ask, query } from "./link.js";

const SPARK_MAX = 120;
const sparks = new Map();
const openings = new Map();

export function showPrices(shot) {
  const lines = [];
  for (const [name, price] of Object.entries(shot.prices)) {
    if (!openings.has(name)) openings.set(name, price);
    const spark = sparks.get(name) || [];
    spark.push(price);
    if (spark.length > SPARK_MAX) spark.shift();
    sparks.set(name, spark);
    const change = 100 * (price / openings.get(name) - 1);
    const shown = change.toFixed(2);
    const told = Number(shown) === 0 ? "0.00 %" : `${change > 0 ? "+" : "−"}${shown.replace("-", "")} %`;
    const chooses = button(name, `Candles of ${name}`, () => choose(name), "link symbol");
    chooses.setAttribute("aria-pressed", String(name === chosen()));
    const line = row(name, [[chooses, "symbol"], [rupees(price), "number"], [told, `number ${Number(shown) === 0 ? "" : tone(change)}`], [sparkline(spark), "spark-cell"]]);
    if (name === chosen()) line.className = "chosen";
    lines.push(line);
    if (chosen() === null) choose(name);
  }
  if (shot.prices_left_out) lines.push(row("", [[`and ${whole(shot.prices_left_out)} more`, "quiet"], "", "", ""]));
  fill("prices", lines, "No price yet.");
}

function sparkline(values) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("class", "spark");
  picture.setAttribute("viewBox", "0 0 120 24");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  const low = Math.min(...values), high = Math.max(...values);
  // Each second has its width from the beginning: the line grows to the right, and never stretches.
  const points = values.map((value, at) => `${(120 * at / (SPARK_MAX - 1)).toFixed(1)},${high === low ? 12 : (22 - 20 * (value - low) / (high - low)).toFixed(1)}`);
  const line = document.createElementNS(space, "polyline");
  line.setAttribute("points", points.join(" "));
  picture.append(line);
  return picture;
}

export function showPositions(shot) {
  const held = shot.orders ? shot.orders.positions : [];
  const open = held.filter((each) => each.quantity);
  // By name: one that is closed stays where it is.
  const shown = [...($("positions-open").checked ? open : held)].sort((one, other) => one.symbol.localeCompare(other.symbol));
  const lines = shown.map((each) => {
    const realized = Number(each.realized), unrealized = each.unrealized === null ? null : Number(each.unrealized);
    const average = each.quantity ? rupees(Number(each.average_price)) : "–";
    const line = row(each.symbol, [
      [stacked(each.symbol, { low: each.quantity ? `at ${average}` : "flat" }), "symbol"],
      [whole(each.quantity), `number ${tone(each.quantity)}`],
      [average, "number wide"],
      [each.last_price === null ? "–" : rupees(each.last_price), "number wide"],
      [signed(realized), `number ${tone(realized)}`],
      each.quantity && unrealized === null ? ["no price", "number warning"] : [each.quantity ? signed(unrealized) : "–", `number ${each.quantity ? tone(unrealized) : "quiet"}`],
    ]);
    if (!each.quantity) line.className = "flat";
    return line;
  });
  fill("positions", lines, held.length ? "Nothing is held now." : "Nothing is held, and nothing ever was.");
  say("positions-told", held.length ? `${whole(open.length)} open, ${whole(held.length - open.length)} flat` : "");
}

const ORDERS_MAX = 200;
const ORDERS = `
select changed_ns // 1000000, coalesce(strategy, ''), coalesce(symbol, ''), coalesce(side, ''), quantity, coalesce(order_type, ''),
coalesce(limit_price, trigger_price), filled_quantity, case when filled_quantity > 0 then (filled_value / filled_quantity)::double end,
state, reason, client_order_id from orders where account = (select account from projection)
order by changed_sequence desc limit ${ORDERS_MAX}`;
const BAD = new Set(["REJECTED", "REFUSED", "UNKNOWN"]);
const OVER = new Set(["FILLED", "CANCELLED", "EXPIRED", "REJECTED", "REFUSED", "ABSENT"]);

let orders = [];

export async function drawOrders() {
  let rows;
  try {
    rows = await query(ORDERS);
  } catch (fault) {
    fill("orders", [], `The database does not answer: ${fault.message}`);
    say("orders-told", "");
    return;
  }
  orders = rows;
  listOrders();
}

export function listOrders() {
  const wanted = $("orders-filter").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const isOpen = $("orders-open").checked;
  const shown = orders.filter((each) => {
    const text = `${each[1]} ${each[2]} ${each[3]} ${each[5]} ${each[9]} ${each[11]}`.toLowerCase();
    return (!isOpen || !OVER.has(each[9])) && wanted.every((word) => text.includes(word));
  });
  fill("orders", shown.map(orderLine), orders.length ? "None of these is so." : "No order yet.");
  const all = orders.length === ORDERS_MAX ? `the newest ${ORDERS_MAX}` : whole(orders.length);
  say("orders-told", !orders.length ? "" : shown.length === orders.length ? all : `${whole(shown.length)} of ${all}`);
}

function orderLine([time, strategy, name, side, quantity, type, limit, filled, average, state, reason, id]) {
  const when = clock.format(Number(time));
  return row(id, [
    [when, "number time wide"],
    [stacked(button(id, `The life of order ${id}`, () => showLife(id), "link mono"), { low: when }), ""],
    [strategy, "wide name"],
    [stacked(name, { low: `${side} ${quantity === null ? "" : whole(quantity)}${limit === null ? "" : ` at ${rupees(limit)}`}` }), "symbol"],
    [side, `wide ${side === "BUY" ? "up" : "down"}`],
    [quantity === null ? "–" : whole(quantity), "number wide"],
    [type, "wide"],
    [limit === null ? "–" : rupees(limit), "number wide"],
    [whole(filled), "number wide"],
    [average === null ? "–" : rupees(average), "number wide"],
    [stacked(state.toLowerCase(), { low: filled ? `${whole(filled)} filled` : "", why: reason }), `state ${BAD.has(state) ? "down" : OVER.has(state) ? "" : "accent"}`],
  ]);
}

const LIFE_MAX = 200;
const HIDDEN = new Set(["type", "client_order_id", "correlation_id", "strategy"]);

async function showLife(id) {
  say("life-id", id);
  fill("life-facts", [], "Asking…");
  $("life").showModal();
  let records;
  try {
    records = (await ask("/v1/read-journal", { key: id, records_max: LIFE_MAX })).records;
  } catch (fault) {
    fill("life-facts", [], fault.message);
    return;
  }
  fill("life-facts", records.map(({ recorded_ns, sequence, fact }) => {
    const facts = make("dl", null, "pairs");
    for (const [name, value] of Object.entries(fact)) {
      if (HIDDEN.has(name) || value === null || value === "" || name.endsWith("_ns")) continue;
      const pair = make("div");
      pair.append(make("dt", name.replaceAll("_", " ")), make("dd", worded(name, value)));
      facts.append(pair);
    }
    return row(sequence, [
      [stacked(moment.format(recorded_ns / 1e6), { why: `record ${whole(sequence)}` }), "number time"],
      [fact.type.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase(), ""],
      [facts, ""],
    ]);
  }), "The journal has no fact of it.");
}

function worded(name, value) {
  if (typeof value === "number" && /price/.test(name)) return rupees(value);
  if (typeof value === "number") return whole(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
