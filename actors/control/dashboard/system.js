// Strategies, dead letters, actors, timings, alarms, and the log.
"use strict";

import { $, button, clock, fill, make, moment, row, say, stacked, tell, whole } from "./base.js";
import { ask } from "./link.js";

const ROLES = ["read", "operate", "trade"];
let role = "read";

export function mayDo(given) {
  role = given;
}

const may = (wanted) => ROLES.indexOf(role) >= ROLES.indexOf(wanted);

export function sure(title, text, action) {
  return new Promise((done) => {
    say("sure-title", title);
    say("sure-text", text);
    say("sure-yes", action);
    $("ask-sure").returnValue = "";
    $("ask-sure").addEventListener("close", () => done($("ask-sure").returnValue === "yes"), { once: true });
    $("ask-sure").showModal();
  });
}

// A button whose work is done after a question, or why it is none: `wanted` is the role that it takes.
function action(text, label, wanted, work, instead) {
  if (!may(wanted)) {
    const line = make("span", "–", "quiet");
    line.title = `${label}: ${instead}, since this page may only ${role}`;
    return line;
  }
  return button(text, label, async () => {
    try {
      const done = await work();
      if (done) tell(done);
    } catch (fault) {
      tell(`${label}: not done. ${fault.message}`, "bad");
    }
  });
}

// Returns a function that asks, and draws a table of the answer.
function drawing(id, path, unanswered, draw) {
  return async () => {
    let told;
    try {
      told = await ask(path());
    } catch (fault) {
      fill(id, [], `${unanswered}: ${fault.message}`);
      return;
    }
    draw(told);
  };
}

export const drawStrategies = drawing("strategies", () => "/v1/list-strategies", "Strategies do not answer", ({ strategies }) => {
  const running = strategies.filter((each) => each.state === "RUNNING").length;
  say("strategies-told", `${whole(running)} of ${whole(strategies.length)} running`);
  const place = (each) => (each.state === "RUNNING" ? 1 : each.state === "STOPPED" ? 2 : 0);
  const sorted = [...strategies].sort((one, other) => place(one) - place(other) || one.name.localeCompare(other.name, "en", { numeric: true }));
  fill("strategies", sorted.map((each) => {
    const name = make("span", each.name);
    name.title = each.strategy;
    return row(each.name, [
      [stacked(name, { why: each.error }), "name"],
      [each.state.toLowerCase(), `state ${["down", "up", ""][place(each)]}`],
      [whole(each.restarts), "number wide"],
      [["STOPPED", "PARKED"].includes(each.state) ? starting(each.name) : stopping(each.name), "does"],
    ]);
  }), "There is none.");
});

const starting = (name) => action("Start", `Start ${name}`, "trade", async () => {
  if (!await sure(`Start ${name}?`, "It trades again from the next tick on.", "Start")) return "";
  await ask("/v1/start-strategy", { name });
  await drawStrategies();
  return `${name} was started.`;
}, `natya strategies start ${name}`);

const stopping = (name) => action("Stop", `Stop ${name}`, "operate", async () => {
  if (!await sure(`Stop ${name}?`, "It hears nothing more until a person starts it. What it holds stays, and so do its orders, unless it has them cancelled.", "Stop")) return "";
  await ask("/v1/stop-strategy", { name });
  await drawStrategies();
  return `${name} was stopped. What it holds stays.`;
}, `natya strategies stop ${name}`);

export const drawLetters = drawing("letters", () => "/v1/list-dead-letters?rows_max=50", "Delivery does not answer", (told) => {
  say("letters-found", !told.found ? "none" : told.letters.length < told.found ? `the oldest ${whole(told.letters.length)} of ${whole(told.found)}` : whole(told.found));
  const requeued = new Set(told.requeued);
  fill("letters", told.letters.map((each) => row(each.letter_id, [
    [stacked(each.event.event_type, { low: each.letter_id, why: `${each.error}: ${each.reason}` }), "name"],
    [each.letter_id, "mono wide"],
    [moment.format(each.last_failed_ns / 1e6), "number time wide"],
    [requeued.has(each.letter_id) ? make("span", "on its way", "quiet") : requeueing(each), "does"],
  ])), "No event was given up.");
});

const requeueing = (each) => action("Requeue", `Requeue ${each.letter_id}`, "operate", async () => {
  if (!await sure(`Requeue ${each.letter_id}?`, `${each.subscription} is given this event once more, after ${each.attempts} attempts.`, "Requeue")) return "";
  const done = await ask("/v1/change-dead-letters", { letter_ids: [each.letter_id], change: "requeued" });
  if (done.refusal) throw new Error(done.refusal);
  await drawLetters();
  return `${each.letter_id} is on its way to ${each.subscription}.`;
}, `natya events dlq requeue ${each.letter_id}`);

export function showActors(shot) {
  const rank = { down: 2, degraded: 1, ok: 0 };
  const bad = shot.components.filter((each) => rank[each.health]);
  say("actors-told", !shot.components.length ? "" : bad.length ? `${whole(bad.length)} of ${whole(shot.components.length)} not well` : `all ${whole(shot.components.length)} well`);
  fill("actors", shot.components.map((each) => {
    const state = each.state ? each.state.toLowerCase() : each.health;
    const parts = [each.health === "degraded" ? `${state}, degraded` : state];
    if (each.breaker && each.breaker !== "closed") parts.push(`breaker ${each.breaker}`);
    return row(each.name, [
      [stacked(each.name, { why: each.reason || each.last_error }), `name depth-${Math.min(each.depth, 3)}`],
      [parts.join(", "), `state ${["up", "warning", "down"][rank[each.health]]}`],
      [whole(each.restarts), "number"],
      [whole(each.waiting), "number"],
    ]);
  }), "The system does not say.");
}

const within = (ms) => (ms === null ? "–" : ms < 0 ? "over 10 s" : ms < 1 ? `${whole(Math.round(1000 * ms))} µs` : ms < 1000 ? `${whole(ms)} ms` : `${whole(ms / 1000)} s`);

export function showTimings(shot) {
  fill("timings", shot.timings.map((each) => row(each.name, [[each.name, "name"], [whole(each.count), "number"], [within(each.p50_ms), "number"], [within(each.p99_ms), "number"]])), "Nothing was timed yet.");
  fill("budgets", shot.budgets.map((each) => row(`${each.kind} ${each.window}`, [[each.kind, "name"], each.window, [whole(each.remaining), `number ${each.remaining ? "" : "down"}`]])), "No broker counts requests here.");
  const told = (value) => (value === null ? "–" : whole(value));
  fill("lanes", shot.lanes.map((each) => row(each.name, [
    [stacked(each.name, { why: `${each.breaker && each.breaker !== "closed" ? `breaker ${each.breaker}: ` : ""}${each.reason}` }), "name"],
    [whole(each.passed), "number"],
    [told(each.waiting), `number ${each.waiting ? "warning" : ""}`],
    [told(each.given_up), `number ${each.given_up ? "down" : ""}`],
  ])), "The events do not say.");
  const parts = [];
  if (shot.disk_free_bytes !== null) parts.push(`${(shot.disk_free_bytes / 2 ** 30).toFixed(1)} GiB free on disk`);
  if (shot.token_ends_ms) parts.push(`access token until ${moment.format(shot.token_ends_ms)} IST`);
  say("machine", parts.join(" · "));
}

let alarmsDrawn = "";

export async function drawAlarms() {
  let told;
  try {
    told = (await ask("/v1/alarms")).alarms;
  } catch (fault) {
    told = [{ severity: "critical", text: `alarms do not answer: ${fault.message}` }];
  }
  told.sort((one, other) => (other.severity === "critical") - (one.severity === "critical")); // as they came, else
  const now = JSON.stringify(told.map((each) => [each.severity, each.text]));
  if (now === alarmsDrawn) return; // spoken only when it has changed
  alarmsDrawn = now;
  const lines = told.map((each) => {
    const line = make("li", null, each.severity === "critical" ? "critical" : "warn");
    line.append(make("strong", each.severity === "critical" ? "Critical" : "Warning"), ` ${each.text}`);
    return line;
  });
  $("alarms").replaceChildren(...(lines.length ? lines : [make("li", "No alarm.", "quiet")]));
  say("alarms-told", lines.length ? whole(lines.length) : "");
}

const logPath = () => `/v1/read-log?lines_max=100&level=${$("log-level").value}`;

export const drawLog = drawing("log", logPath, "The log is not told", (told) => {
  const place = $("log-lines");
  const followed = place.scrollTop + place.clientHeight >= place.scrollHeight - 8; // else somebody reads further up
  fill("log", told.lines.map((each) => row(`${each.time} ${each.event}`, [
    [clock.format(new Date(each.time)), "number time"],
    [each.level, each.level === "error" ? "down" : each.level === "warning" ? "warning" : "quiet"],
    [stacked(each.event, { low: `${each.actor} ${each.told}` }), "name"],
    [each.actor, "wide"],
    [each.told, "quiet mono wide"],
  ])), told.reason || "Nothing of this level.");
  if (followed) place.scrollTop = place.scrollHeight;
});
