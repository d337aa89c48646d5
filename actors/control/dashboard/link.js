// What is asked of the system, and the stream of what it says. A system that hangs is known by its silence.
"use strict";

import { $ } from "./base.js";

const ANSWER_MS = 15_000;
const SILENT_MS = 5_000; // a shot comes each second

let token = takeToken();

function takeToken() {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found) {
    sessionStorage.setItem("token", found);
    window.history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token");
}

export const hasToken = () => Boolean(token);

export async function ask(path, body, wait = ANSWER_MS) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(wait),
    });
  } catch (fault) {
    throw new Error(fault.name === "TimeoutError" ? `no answer in ${wait / 1000} s; it may still be done` : "the system does not answer");
  }
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error || told.reason || `answer ${answer.status}`);
  return told;
}

export async function query(sql, ...parameters) {
  return (await ask("/v1/query", { sql, parameters, rows_max: 1000, timeout_s: 5 })).rows;
}

// `show` is called with each shot, `lost` with why none comes; for ever.
export async function listen(show, lost) {
  for (let wait = 1; ; wait = Math.min(wait * 2, 15)) {
    const ends = new AbortController();
    let silence = setTimeout(() => ends.abort(), SILENT_MS);
    let reason = "The system does not answer.";
    try {
      const answer = await fetch("/v1/stream", { headers: { Authorization: `Bearer ${token}` }, cache: "no-store", signal: ends.signal });
      if (answer.status === 401) {
        clearTimeout(silence);
        await wantToken();
        wait = 1;
        continue;
      }
      if (!answer.ok) {
        reason = (await answer.json()).error;
        throw new Error(reason);
      }
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ""; ;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        const parts = text.split("\n\n");
        text = parts.pop();
        for (const part of parts) {
          if (!part.startsWith("data: ")) continue;
          clearTimeout(silence);
          silence = setTimeout(() => ends.abort(), SILENT_MS);
          wait = 1;
          show(JSON.parse(part.slice(6)));
        }
      }
    } catch (fault) {
      console.warn(fault);
    }
    clearTimeout(silence);
    lost(reason);
    await new Promise((done) => setTimeout(done, wait * 1000));
  }
}

export function wantToken() {
  return new Promise((done) => {
    const dialog = $("ask-token");
    dialog.addEventListener("close", () => {
      token = $("token").value.trim();
      $("token").value = "";
      sessionStorage.setItem("token", token);
      done();
    }, { once: true });
    dialog.showModal();
  });
}
