// Elements, numbers and tables. All that comes from the system is set as text, never as HTML.
"use strict";

export const $ = (id) => document.getElementById(id);

const money = new Intl.NumberFormat("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const count = new Intl.NumberFormat("en-IN");
const hours = { timeZone: "Asia/Kolkata", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
export const clock = new Intl.DateTimeFormat("en-IN", hours);
export const moment = new Intl.DateTimeFormat("en-IN", { ...hours, day: "2-digit", month: "short" });

// A true minus is as wide as a digit, so columns stay aligned.
const minus = (text) => text.replace("-", "−");
export const rupees = (value) => minus(money.format(value));
export const whole = (value) => minus(count.format(value));
export const signed = (value) => (value > 0 ? "+" : "") + rupees(value);
export const tone = (value) => (value > 0 ? "up" : value < 0 ? "down" : "");

// Sets what is there only if it is other: a live region is not spoken again, and nothing is laid out anew.
export function say(id, text, className) {
  const element = typeof id === "string" ? $(id) : id;
  if (element.textContent !== text) element.textContent = text;
  if (className !== undefined && element.className !== className) element.className = className;
}

export function make(name, text, className) {
  const element = document.createElement(name);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  return element;
}

// A text with a smaller line below it: `low` is shown on narrow screens alone, `why` on all.
export function stacked(text, { low, why } = {}) {
  const holder = document.createDocumentFragment();
  holder.append(text instanceof Node ? text : make("span", text));
  if (low) holder.append(make("span", low, "low"));
  if (why) {
    const line = make("span", why, "why");
    line.title = why;
    holder.append(line);
  }
  return holder;
}

// `key` tells it from the other rows of its table. A cell is a text, an element, or [either, its class]; the first names the row.
export function row(key, cells) {
  const line = make("tr");
  line.dataset.key = key;
  cells.forEach((cell, place) => {
    const [content, className] = Array.isArray(cell) ? cell : [cell, ""];
    const holder = make(place ? "td" : "th", content instanceof Node ? null : content, className);
    if (!place) holder.scope = "row";
    if (content instanceof Node) holder.append(content);
    line.append(holder);
  });
  return line;
}

function emptyRow(text, columns) {
  const line = make("tr", null, "empty");
  line.dataset.key = "";
  const cell = make("td", text);
  cell.colSpan = columns;
  line.append(cell);
  return line;
}

// What is shown stays, and only what is other becomes so: a click, a focus and a selection outlive a new figure, and a row that
// somebody reads stays where it is while others come above it.
export function fill(id, rows, empty) {
  const place = $(id);
  const lines = rows.length ? rows : [emptyRow(empty, place.parentElement.tHead.rows[0].cells.length)];
  const active = place.contains(document.activeElement) ? document.activeElement : null;
  const shown = new Map([...place.rows].map((line) => [line.dataset.key, line]));
  const wanted = new Set();
  for (const line of lines) {
    let key = line.dataset.key;
    while (wanted.has(key)) key += " again";
    line.dataset.key = key;
    wanted.add(key);
  }
  for (const [key, line] of shown) if (!wanted.has(key)) line.remove();
  let next = place.firstElementChild;
  for (const line of lines) {
    const known = shown.get(line.dataset.key);
    if (known) become(known, line);
    if (known && known === next) next = next.nextElementSibling;
    else place.insertBefore(known ?? line, next);
  }
  // Its row was moved, or it is gone: then whoever has but a keyboard goes on at the table, not at the page's top.
  if (active && active !== document.activeElement) (active.isConnected ? active : place.closest("[tabindex]")).focus({ preventScroll: true });
}

// Makes an element, and what it holds, the same as another one of its name.
function become(shown, wanted) {
  for (const { name } of [...shown.attributes]) if (!wanted.hasAttribute(name)) shown.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  shown.onclick = wanted.onclick;
  const held = [...shown.childNodes], parts = [...wanted.childNodes];
  parts.forEach((part, at) => {
    const one = held[at];
    if (!one) shown.append(part);
    else if (one.nodeName !== part.nodeName) one.replaceWith(part);
    else if (part.nodeType === Node.TEXT_NODE) say(one, part.data);
    else become(one, part);
  });
  held.slice(parts.length).forEach((one) => one.remove());
}

export function button(text, label, work, className = "link") {
  const element = make("button", text, className);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.onclick = work; // no listener, since `become` could not hand that over
  return element;
}

// Whatever a person did is told until it is put away, or until something else is.
export function tell(text, kind = "good") {
  say("notice-text", text);
  $("notice").className = `notice ${kind}`;
  $("notice").hidden = !text;
}

export const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
