// The dashboard: what is shown once a second, what is asked less often, and the kill switch.
"use strict";

import { $, clock, rupees, say, signed, tell, tone, whole } from "./base.js";
import { addToCurve, drawCandles, marketAt, readCurve } from "./charts.js";
import { ask, hasToken, listen, wantToken } from "./link.js";
import { drawAlarms, drawLetters, drawLog, drawStrategies, mayDo, showActors, showTimings } from "./system.js";
import { drawOrders, listOrders, showPositions, showPrices } from "./trading.js";

const MODES = { paper: ["paper", "accent"], "dry run": ["dry run", "warn"], live: ["live", "bad"], node: ["node", "accent"] };
let before = null;
let isLost = true;

function show(shot) {
  say("ready", shot.ready ? "ready" : "not ready", `pill ${shot.ready ? "good" : "bad"}`);
  const risk = shot.risk_state;
  say("risk", risk, `pill ${risk === "NORMAL" ? "good" : risk === "HALTED" ? "bad" : "warn"}`);
  const [mode, kind] = MODES[shot.mode];
  say("mode", mode, `pill ${kind}`);
  say("clock", `${clock.format(shot.time_ms)} IST`);
  banner(shot);
  document.title = `${shot.ready ? "" : "! "}natya ${mode}`;
  document.body.classList.remove("stale");
  mayDo(shot.role);
  $("kill").disabled = shot.role === "read";
  $("kill-flatten").disabled = shot.role !== "trade"; // as the table of operations has it
  showFigures(shot);
  marketAt(shot.feed ? shot.feed.market_ms : 0);
  showPrices(shot);
  showPositions(shot);
  showActors(shot);
  showTimings(shot);
  before = shot;
  if (isLost) {
    isLost = false;
    readCurve();
  }
}

function lost(reason) {
  isLost = true;
  say("ready", "not connected", "pill bad");
  say("risk", before ? `was ${before.risk_state}` : "", "pill"); // nobody knows what it is now
  document.body.classList.add("stale");
  document.title = "! natya";
  const since = before ? ` What is shown is of ${clock.format(before.time_ms)} IST.` : "";
  say("banner", `${reason}${since}`, "banner bad");
  $("banner").hidden = false;
}

function banner(shot) {
  const isReduced = shot.risk_state === "REDUCING";
  const text = !shot.ready ? shot.reason : isReduced ? `Only orders that close pass: ${shot.risk_cause}` : "";
  say("banner", text, `banner ${shot.ready ? "warn" : "bad"}`);
  $("banner").hidden = !text;
}

function showFigures(shot) {
  const orders = shot.orders;
  if (orders) {
    const realized = Number(orders.realized);
    const open = orders.unrealized === null ? null : Number(orders.unrealized);
    say("profit", open === null ? "no price" : signed(realized + open), open === null ? "warning" : tone(realized + open));
    say("realized", signed(realized), tone(realized));
    say("unrealized", open === null ? "no price" : signed(open), open === null ? "warning" : tone(open));
    say("submitted", whole(orders.submitted));
    say("fills", whole(orders.fills));
    say("rejected", whole(orders.rejected), orders.rejected ? "warning" : "");
    say("open", whole(orders.open));
    say("uncertain", whole(orders.uncertain), orders.uncertain ? "down" : "");
    if (open !== null) addToCurve(shot.time_ms / 1000, realized + open);
  }
  const feed = shot.feed;
  if (before && before.feed && feed && shot.time_ms > before.time_ms && feed.ticks >= before.feed.ticks) {
    say("rate", whole(Math.round(1000 * (feed.ticks - before.feed.ticks) / (shot.time_ms - before.time_ms))));
  }
  if (feed) {
    const parts = [feed.source];
    if (feed.age_s !== null) parts.push(`newest ${rupees(feed.age_s)} s ago`);
    if (feed.gaps) parts.push(`${whole(feed.gaps)} gaps`);
    if (feed.silent) parts.push(`${whole(feed.silent)} silent`);
    say("feed-told", parts.join(", "));
  }
  if (shot.dead_letters !== null) say("dead", whole(shot.dead_letters), shot.dead_letters ? "warning" : "");
}

// The kill switch: Enter in the reason halts, which is wanted first; Escape and the other button leave it.

const KILL_MS = 5_000;

$("kill").addEventListener("click", () => {
  $("kill-reason").value = "";
  $("kill-flatten").checked = false;
  $("ask-kill").returnValue = "";
  $("ask-kill").showModal();
  $("kill-reason").focus();
});
$("ask-kill").addEventListener("close", async () => {
  if ($("ask-kill").returnValue !== "kill") return;
  tell("Halting…", "warn");
  try {
    const told = await ask("/v1/engage-kill-switch", { reason: $("kill-reason").value, person: "dashboard", flatten: $("kill-flatten").checked }, KILL_MS);
    if (told.problem) tell(`Halted, but: ${told.problem}`, "bad");
    else tell(`Halted. ${told.cancelling ? `${whole(told.cancelling)} orders are being cancelled.` : "No order was open."}`);
  } catch (fault) {
    tell(`Not known to be halted: ${fault.message}. Use natya kill-switch on, or make a file HALT in the data directory.`, "bad");
  }
  drawOrders();
});
for (const each of document.querySelectorAll("dialog [value=cancel]")) {
  each.addEventListener("click", () => each.closest("dialog").close("cancel"));
}
$("notice-away").addEventListener("click", () => tell(""));
$("orders-filter").addEventListener("input", listOrders);
$("orders-open").addEventListener("change", listOrders);
$("positions-open").addEventListener("change", () => before && showPositions(before));
$("log-level").addEventListener("change", drawLog);

async function again(work, seconds) {
  for (; ;) {
    if (hasToken() && !document.hidden) await work();
    await new Promise((done) => setTimeout(done, 1000 * seconds));
  }
}

(async () => {
  if (!hasToken()) await wantToken();
  listen(show, lost);
  again(drawOrders, 3);
  again(drawAlarms, 5);
  again(drawStrategies, 5);
  again(drawLetters, 5);
  again(drawLog, 5);
  again(drawCandles, 10);
})();
