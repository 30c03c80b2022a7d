// The desk with JavaScript: each scan is sent by itself, in order, and its row appears at once.
// Without this file the scan box is a plain form. Nothing here ever moves the focus off the box.
"use strict";

const $ = (id) => document.getElementById(id);
const form = $("scan"), box = $("code"), log = $("log");
const TWICE = 2000, SCANNER = 35, queue = [];
let busy = false, leaving = null, last = { code: "", at: 0 };

document.querySelectorAll("[data-next]").forEach((field) =>
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    $(field.dataset.next).focus();
  }));

if (form && window.htmx) start();

function start() {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button && button.name === "do") decide(button);
    else scan();
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("keydown", guard, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || !busy || event.ctrlKey || event.metaKey || link.target) return;
    event.preventDefault();
    leave(link.href);
  });
  window.addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
  if (document.activeElement === document.body) box.focus();
}

function scan() {
  const code = box.value.trim(), now = Date.now();
  box.value = "";
  box.focus();
  if (!code) return;
  if (code.startsWith("/")) return command(code);
  if (code === last.code && now - last.at < TWICE) {
    last.at = now;
    $("said").textContent = $("again").content.textContent;
    return;
  }
  last = { code, at: now };
  const row = $("waiting").content.firstElementChild.cloneNode(true);
  const key = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  row.id = "row-" + key;
  row.querySelector(".code").textContent = code;
  log.prepend(row);
  send({ row, values: { token: form.token.value, key, code } });
}

function decide(button) {
  const row = button.closest(".row"), reason = row.querySelector("select");
  const values = { token: form.token.value, rows: row.dataset.rows, do: button.value };
  if (reason) values[reason.name] = reason.value;
  row.setAttribute("aria-busy", "true");
  box.focus();
  send({ row, values });
}

function command(code) {
  const key = { "/in": "F4", "/out": "F2", "/end": "F9" }[code];
  if (code === "/print") window.print();
  else if (key) press(key);
}

async function send(entry) {
  queue.push(entry);
  if (busy) return;
  busy = true;
  while (queue.length) await one(queue.shift());
  busy = false;
  if (leaving) location.assign(leaving);
}

async function one({ row, values }) {
  try {
    await htmx.ajax("POST", $("patron").dataset.address,
      { source: row, target: row, swap: "outerHTML", values });
  } catch { /* told below */ }
  if (row.isConnected) unconfirmed(row, values);
}

// No answer, or a fault there: the scan stays, and is sent again with the same key.
function unconfirmed(row, values) {
  row.removeAttribute("aria-busy");
  leaving = null;
  let retry = row.querySelector(".retry");
  if (!retry) {
    retry = $("waiting").content.querySelector(".retry").cloneNode(true);
    row.querySelector(".body").append(retry);
  }
  row.classList.add("unconfirmed");
  row.querySelector(".state")?.remove();
  retry.hidden = false;
  $("alarm").textContent = retry.firstChild.textContent;
  retry.querySelector("button").onclick = () => {
    retry.hidden = true;
    box.focus();
    send({ row, values });
  };
}

function onKey(event) {
  if (event.key === "Escape") {
    box.focus();
    box.select();
  } else if (event.key === "F8") {
    event.preventDefault();
    document.querySelector("#log .decide")?.focus();
  } else if (document.querySelector(`[data-key="${event.key}"]`)) {
    event.preventDefault();
    press(event.key);
  }
}

function press(key) {
  const link = document.querySelector(`[data-key="${key}"]`);
  if (link) leave(link.href);
}

// Scans that are under way are answered first.
function leave(href) {
  if (busy) leaving = href;
  else location.assign(href);
}

// A scanner types faster than people: what it types goes to the box from anywhere.
const burst = { text: "", at: 0, from: null, was: "" };

function guard(event) {
  if (event.target === box || event.ctrlKey || event.metaKey || event.altKey) return;
  const now = event.timeStamp, fast = now - burst.at < SCANNER;
  burst.at = now;
  if (event.key === "Enter" && fast && burst.text.length >= 4) {
    event.preventDefault();
    event.stopPropagation();
    if (burst.from && "value" in burst.from && burst.from.tagName !== "BUTTON")
      burst.from.value = burst.was;
    box.value = burst.text;
    burst.text = "";
    scan();
  } else if (event.key.length === 1) {
    if (!fast) {
      burst.text = "";
      burst.from = event.target;
      burst.was = event.target.value;
    }
    burst.text += event.key;
    if (burst.text.length >= 4) event.preventDefault();
  } else if (event.key !== "Shift") {
    burst.text = "";
  }
}
