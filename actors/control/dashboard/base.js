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

// A cell is a text, an element, or [either, its class]; the first names its row.
export function row(cells) {
  const line = make("tr");
  cells.forEach((cell, place) => {
    const [content, className] = Array.isArray(cell) ? cell : [cell, ""];
    const holder = make(place ? "td" : "th", content instanceof Node ? null : content, className);
    if (!place) holder.scope = "row";
    if (content instanceof Node) holder.append(content);
    line.append(holder);
  });
  return line;
}

// A control that has the focus keeps it though its table is drawn anew, and a table that says the same stays as it is.
export function fill(id, lines, empty) {
  const place = $(id);
  if (!lines.length) {
    const line = make("tr", null, "empty");
    const cell = make("td", empty);
    cell.colSpan = place.parentElement.tHead.rows[0].cells.length;
    line.append(cell);
    lines = [line];
  }
  const active = document.activeElement;
  const focused = active && place.contains(active) ? active.getAttribute("aria-label") : null;
  place.replaceChildren(...lines);
  if (focused) [...place.querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
}

export function button(text, label, work, className = "link") {
  const element = make("button", text, className);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.addEventListener("click", work);
  return element;
}

// Whatever a person did is told until it is put away, or until something else is.
export function tell(text, kind = "good") {
  say("notice-text", text);
  $("notice").className = `notice ${kind}`;
  $("notice").hidden = !text;
}

export const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
