// The page of reports: asks the API for the catalogue, and for a report with the parameters that it takes. Whatever comes
// from the API is put in as text, never as markup.

import { amount, cell, instant, isFigure } from "./format.js";
import { TEXTS } from "./texts.js";

const CHOICES = {
  dimension: ["programmes", "periods", "tiers", "regions", "kinds", "suppliers"],
  by: ["month", "day"],
};
const FORMATS = ["xlsx", "csv", "pdf", "json"];
const HEADLINES = ["issued_fen", "redeemed_fen", "written_off_fen", "remaining_fen", "available_fen", "liability_fen", "closing_fen"];

const at = (id) => document.getElementById(id);
const state = {
  language: localStorage.getItem("language") ?? "zh",
  key: sessionStorage.getItem("key") ?? "",
  reports: [],
  asked: 0,
};
const say = () => TEXTS[state.language];

function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${state.key}` } });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({ detail: `HTTP ${answer.status}` }));
  throw Object.assign(new Error(problem.detail), { status: answer.status });
}

function wording() {
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  document.title = `${state.language === "zh" ? "算券" : "Suanquan"} · ${say().page}`;
  at("language").textContent = say().other;
  at("leave").textContent = say().leave;
  const enter = at("enter");
  enter.querySelector("h2").textContent = say().enter;
  enter.querySelector("p").textContent = say().enterAbout;
  enter.querySelector("span").textContent = say().key;
  enter.querySelector("button").textContent = say().go;
}

async function start() {
  wording();
  at("enter").hidden = Boolean(state.key);
  at("leave").hidden = !state.key;
  document.querySelector("main").hidden = !state.key;
  if (!state.key) return;
  try {
    state.reports = (await (await ask("/v1/reports")).json()).items;
    const chain = await (await ask("/v1/chain")).json();
    at("service").textContent = `${say().anchor.chain_id} ${chain.chain_id} · ${say().now} ${chain.indexed_block ?? "–"}`;
    choose();
  } catch (error) {
    if (error.status === 401) leave(say().wrongKey);
    else trouble(error.message || say().failed);
  }
}

function leave(reason = "") {
  state.key = "";
  sessionStorage.removeItem("key");
  at("enter").querySelector("[role=alert]").textContent = reason;
  start();
}

// The address names report and question, so that it can be kept; the key is never in it.
const current = () => new URLSearchParams(location.hash.slice(1));

function choose() {
  const asked = current();
  const report = state.reports.find((one) => one.name === asked.get("report")) ?? state.reports[0];
  at("catalogue").replaceChildren(
    ...state.reports.map((one) => {
      const item = make("li");
      const link = make("a", one.title[state.language], { href: `#report=${one.name}` });
      if (one === report) link.setAttribute("aria-current", "page");
      item.append(link);
      return item;
    }),
  );
  at("title").textContent = report.title[state.language];
  at("about").textContent = report.about[state.language];
  at("question").replaceChildren(
    ...report.takes.filter((name) => name !== "language").map((name) => field(name, asked.get(name), report.needs.includes(name))),
    make("button", say().show, { type: "submit" }),
  );
  at("exports").replaceChildren(
    make("span", say().export),
    ...FORMATS.map((format) => {
      const button = make("button", format.toUpperCase(), { type: "button", "data-format": format });
      button.addEventListener("click", () => save(report, format));
      return button;
    }),
  );
  const missing = report.needs.some((name) => !asked.get(name));
  clear();
  if (!missing) read(report);
}

function field(name, value, needed) {
  const label = make("label");
  label.append(make("span", say().fields[name]));
  let input;
  if (name in CHOICES) {
    input = make("select", "", { name });
    input.append(...CHOICES[name].map((one) => make("option", say().options[one], { value: one })));
    input.value = value ?? CHOICES[name][0];
  } else {
    const kinds = { first: "date", last: "date", programme_id: "number", voucher_id: "number" };
    input = make("input", "", { name, type: kinds[name] ?? "text", size: name === "supplier" ? 20 : 14 });
    if (name === "as_of") input.placeholder = say().now;
    input.value = value ?? "";
  }
  input.required = needed;
  label.append(input);
  return label;
}

function query(format) {
  const asked = current();
  asked.delete("report");
  if (state.language !== "zh") asked.set("language", state.language);
  if (format) asked.set("format", format);
  return asked.toString();
}

function clear() {
  at("trouble").hidden = true;
  at("figures").hidden = true;
  at("rows").replaceChildren();
  at("anchor").replaceChildren();
}

function trouble(text) {
  at("trouble").textContent = text;
  at("trouble").hidden = false;
}

async function read(report) {
  const number = ++state.asked;
  at("rows").replaceChildren(make("p", say().loading));
  try {
    const content = await (await ask(`/v1/reports/${report.name}?${query()}`)).json();
    if (number === state.asked) show(content);
  } catch (error) {
    if (number !== state.asked) return;
    clear();
    if (error.status === 401) leave(say().wrongKey);
    else trouble(error.message || say().failed);
  }
}

function show(content) {
  const { columns, rows, totals, anchor } = content;
  const headlines = columns.filter((column) => HEADLINES.includes(column.name) && column.name in totals).slice(0, 4);
  at("figures").hidden = !headlines.length || !rows.length;
  at("figures").replaceChildren(
    ...headlines.map((column) => {
      const figure = make("div");
      figure.append(make("span", heading(column)), make("b", amount(totals[column.name])));
      return figure;
    }),
  );
  at("rows").replaceChildren(rows.length ? table(columns, rows, totals) : make("p", say().empty));
  const facts = { ...anchor, ...anchor.contracts, moment: instant(anchor.moment) };
  at("anchor").replaceChildren(
    ...Object.entries(say().anchor).flatMap(([name, text]) => [make("dt", text), make("dd", String(facts[name]))]),
  );
}

function heading(column) {
  const unit = say().units[column.kind];
  return unit ? `${column[state.language]} (${unit})` : column[state.language];
}

function table(columns, rows, totals) {
  const made = make("table");
  const head = made.createTHead().insertRow();
  for (const column of columns) {
    const place = make("th", heading(column), { scope: "col", class: isFigure(column) ? "figure" : "" });
    if (column.source in say().sources) {
      place.title = say().sources[column.source];
      place.classList.add("service");
    }
    head.append(place);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const column of columns) {
      const text = cell(column, row[column.name]);
      const place = make("td", text, { class: isFigure(column) ? "figure" : column.kind });
      if (column.kind === "hash") place.title = row[column.name] ?? "";
      if (column.kind === "bps" && row[column.name] !== null) {
        place.classList.add("share");
        place.style.setProperty("--share", `${Math.max(0, Math.min(row[column.name], 10000)) / 100}%`);
      }
      line.append(place);
    }
  }
  if (Object.keys(totals).length) {
    const line = made.createTFoot().insertRow();
    columns.forEach((column, index) => {
      const text = column.name in totals ? cell(column, totals[column.name]) : "";
      line.append(make("td", index ? text : say().total, { class: isFigure(column) ? "figure" : "" }));
    });
  }
  return made;
}

async function save(report, format) {
  try {
    const answer = await ask(`/v1/reports/${report.name}?${query(format)}`);
    const link = make("a", "", {
      href: URL.createObjectURL(await answer.blob()),
      download: `suanquan-${report.name}-${at("anchor").querySelector("dd:nth-of-type(2)")?.textContent ?? "report"}.${format}`,
    });
    link.click();
    URL.revokeObjectURL(link.href);
  } catch (error) {
    trouble(error.message || say().failed);
  }
}

at("question").addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = new URLSearchParams({ report: current().get("report") ?? state.reports[0].name });
  for (const [name, value] of new FormData(event.target)) {
    if (value.trim()) asked.set(name, value.trim());
  }
  if (location.hash.slice(1) === asked.toString()) choose();
  else location.hash = asked.toString();
});
at("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  state.key = at("key").value.trim();
  at("key").value = "";
  sessionStorage.setItem("key", state.key);
  start();
});
at("leave").addEventListener("click", () => leave());
at("language").addEventListener("click", () => {
  state.language = state.language === "zh" ? "en" : "zh";
  localStorage.setItem("language", state.language);
  start();
});
window.addEventListener("hashchange", choose);
start();
