"use strict";
// Draws the report of a study from the data in the page, or, when it is served, from data.json every few seconds.
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const short = (number, digits = 4) =>
  number === null || number === undefined ? "–"
  : typeof number !== "number" ? String(number)
  : Number.isInteger(number) ? String(number)
  : Math.abs(number) >= 1e-3 && Math.abs(number) < 1e7 ? number.toFixed(digits) : number.toPrecision(digits);
const duration = (seconds) =>
  seconds === null || seconds === undefined ? "–"
  : seconds < 1e-3 ? `${(seconds * 1e6).toFixed(0)} µs` : seconds < 1 ? `${(seconds * 1e3).toPrecision(3)} ms`
  : seconds < 90 ? `${seconds.toPrecision(3)} s` : `${(seconds / 60).toFixed(1)} min`;
const text = (value) => value === null || value === undefined ? "null" : typeof value === "object" ? JSON.stringify(value) : String(value);
const words = (parameters) => Object.entries(parameters)
  .map(([name, value]) => `${name}=${typeof value === "number" ? parseFloat(value.toPrecision(4)) : text(value)}`).join(" ");
const colours = "Viridis";
const layout = (more) => Object.assign({
  margin: { l: 60, r: 30, t: 10, b: 50 }, height: 340, font: { family: "system-ui, sans-serif", size: 12 },
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "#fbfcfd", showlegend: false,
}, more);
const options = { responsive: true, displaylogo: false, displayModeBar: false };

const chart = (id, traces, more) => {
  const place = document.getElementById(id);
  return Plotly.react(place, traces, layout(more), options);
};

// A parameter's values as numbers where all are, else as categories.
const axis = (values, name) => {
  const known = values.filter((value) => value !== undefined);
  const numeric = known.length > 0 && known.every((value) => typeof value === "number");
  const positive = numeric && known.every((value) => value > 0);
  const wide = positive && Math.max(...known) / Math.min(...known) >= 50;
  return { numeric, type: numeric ? (wide ? "log" : "linear") : "category", values: values.map((value) => value === undefined ? undefined : numeric ? value : text(value)), title: { text: name } };
};

const sections = [];
const section = (id, title, wide, note, draw) => sections.push({ id, title, wide, note, draw });

section("leaderboard", "Leaderboard", true, "Mean over the folds; bars are one standard deviation of the folds.", (data, place) => {
  const best = data.leaders.filter((leader) => leader.mean != null).slice(0, 20);
  if (best.length === 0) return "no candidate has scores on every fold yet";
  if (data.nested) {
    const scores = data.nested.map((one) => `${one.metric} ${short(one.mean)} ± ${short(one.deviation)}`).join(", ");
    place.append(element("p", { id: "nested" }, `On rows that the search has not seen (nested cross-validation, ${data.nested[0].splits} outer splits): ${scores}.`));
  }
  place.append(element("div", { class: "chart", id: "leaders" }));
  const table = element("table");
  const columns = ["Rank", ...data.metrics, ...(data.hasResource ? ["Rows"] : []), "Difference from the best, 95 %", "Fit", "Estimator", "Parameters", "Notes"];
  table.append(element("tr", {}, ...columns.map((name, index) => element("th", index <= data.metrics.length ? { class: "number" } : {}, name))));
  for (const leader of best) {
    const cells = [leader.rank, ...leader.means.map((mean, index) => `${short(mean)} ± ${short(leader.deviations[index])}`),
      ...(data.hasResource ? [leader.resource] : []),
      leader.interval ? `${short(-leader.interval[1])} … ${short(-leader.interval[0])}` : "", duration(leader.fitSeconds), leader.estimator];
    table.append(element("tr", {}, ...cells.map((cell, index) => element("td", index <= data.metrics.length ? { class: "number" } : {}, text(cell))),
      element("td", { class: "words" }, words(leader.parameters)),
      element("td", {}, leader.unconverged > 0 ? `not converged on ${leader.unconverged} folds, ${leader.iterations} iterations` : "")));
  }
  place.append(element("div", { class: "scroll" }, table));
  const shown = best.slice().reverse();
  chart("leaders", [{
    type: "scatter", mode: "markers", x: shown.map((leader) => leader.mean), y: shown.map((leader) => `#${leader.candidate}`),
    error_x: { type: "data", array: shown.map((leader) => leader.deviation), color: "#8aa4c0" }, marker: { size: 9, color: "#2563a8" },
    text: shown.map((leader) => `${leader.estimator} ${words(leader.parameters)}`), hovertemplate: "%{text}<br>%{x:.5g}<extra></extra>",
  }], { height: 80 + 22 * shown.length, xaxis: { title: { text: data.metric } }, yaxis: { type: "category" } });
});

section("importance", "Importance of parameters", false, "How much a forest that predicts the score from the parameters splits by each of them.", (data) => {
  if (data.importances.length === 0) return "too few candidates, or nothing varies";
  const sorted = data.importances.slice().sort((a, b) => a.share - b.share);
  return () => chart("importance-chart", [{ type: "bar", orientation: "h", x: sorted.map((one) => one.share), y: sorted.map((one) => one.name), marker: { color: "#2563a8" } }],
    { height: 120 + 26 * sorted.length, margin: { l: 130, r: 16, t: 10, b: 40 }, xaxis: { rangemode: "tozero" } });
});

const chooser = (place, label, names, initial, change) => {
  const select = element("select", {}, ...names.map((name) => element("option", { value: name }, name)));
  select.value = initial;
  select.addEventListener("change", () => change(select.value));
  place.append(element("label", {}, `${label} `, select));
};
const chosen = {};

section("parameter", "Score by a parameter", false, "A point for each candidate; with training scores, how well it fits what it learnt from.", (data, place) => {
  if (data.parameters.length === 0) return "nothing varies";
  if (!data.parameters.includes(chosen.parameter)) chosen.parameter = data.parameters[0];
  const draw = () => {
    const points = data.candidates.filter((one) => chosen.parameter in one.parameters && one.mean != null);
    const x = axis(points.map((one) => one.parameters[chosen.parameter]), chosen.parameter);
    const traces = [{
      type: "scatter", mode: "markers", name: "test", x: x.values, y: points.map((one) => one.mean),
      marker: { size: 7, opacity: 0.75, color: points.map((one) => data.estimators.indexOf(one.estimator)), colorscale: "Portland" },
      text: points.map((one) => `${one.estimator} ${words(one.parameters)}`), hovertemplate: "%{text}<br>%{y:.5g}<extra></extra>",
    }];
    if (data.hasTrainScores) traces.push({ type: "scatter", mode: "markers", name: "training", x: x.values, y: points.map((one) => one.trainMean), marker: { size: 6, symbol: "x", color: "#c0563b" } });
    chart("parameter-chart", traces, { showlegend: data.hasTrainScores, xaxis: { title: x.title, type: x.type }, yaxis: { title: { text: data.metric } } });
  };
  chooser(place, "Parameter", data.parameters, chosen.parameter, (name) => { chosen.parameter = name; draw(); });
  return draw;
});

// The two parameters that most candidates have both of; of equally common pairs, the more important ones.
const pair = (data) => {
  const share = Object.fromEntries(data.importances.map((one) => [one.name, one.share]));
  let [best, most] = [data.parameters.slice(0, 2), -1];
  data.parameters.forEach((first, place) => data.parameters.slice(place + 1).forEach((second) => {
    const common = data.candidates.filter((one) => one.mean != null && first in one.parameters && second in one.parameters);
    const varied = new Set(common.map((one) => text(one.parameters[first]))).size > 1 && new Set(common.map((one) => text(one.parameters[second]))).size > 1;
    const weight = (varied ? common.length : 0) + ((share[first] ?? 0) + (share[second] ?? 0)) / 4;
    if (weight > most) [best, most] = [[first, second], weight];
  }));
  return best;
};

section("heat", "Two parameters", false, "The highest mean score of each pair of values.", (data, place) => {
  if (data.parameters.length < 2) return "fewer than two parameters vary";
  if (!data.parameters.includes(chosen.first)) [chosen.first, chosen.second] = pair(data);
  const draw = () => {
    const points = data.candidates.filter((one) => chosen.first in one.parameters && chosen.second in one.parameters && one.mean != null);
    const x = axis(points.map((one) => one.parameters[chosen.first]), chosen.first);
    const y = axis(points.map((one) => one.parameters[chosen.second]), chosen.second);
    const distinct = (one) => [...new Set(one.values)].sort((a, b) => one.numeric ? a - b : a < b ? -1 : a > b ? 1 : 0);
    const [columns, rows] = [distinct(x), distinct(y)];
    const isGrid = columns.length * rows.length <= 4 * points.length && columns.length <= 60 && rows.length <= 60;
    let trace;
    if (isGrid) {
      const cells = rows.map(() => columns.map(() => null));
      points.forEach((one, index) => {
        const [row, column] = [rows.indexOf(y.values[index]), columns.indexOf(x.values[index])];
        if (cells[row][column] === null || cells[row][column] < one.mean) cells[row][column] = one.mean;
      });
      trace = { type: "heatmap", x: columns.map(text), y: rows.map(text), z: cells, colorscale: colours, colorbar: { thickness: 12 } };
    } else {
      trace = { type: "scatter", mode: "markers", x: x.values, y: y.values, marker: { size: 8, color: points.map((one) => one.mean), colorscale: colours, showscale: true, colorbar: { thickness: 12 } },
        text: points.map((one) => short(one.mean)), hovertemplate: "%{x}, %{y}<br>%{text}<extra></extra>" };
    }
    chart("heat-chart", [trace], { xaxis: { title: x.title, type: isGrid ? "category" : x.type }, yaxis: { title: y.title, type: isGrid ? "category" : y.type } });
  };
  chooser(place, "Across", data.parameters, chosen.first, (name) => { chosen.first = name; draw(); });
  chooser(place, "Up", data.parameters, chosen.second, (name) => { chosen.second = name; draw(); });
  return draw;
});

section("parallel", "Parallel coordinates", true, "A line for each candidate, the best ones dark; at most 300 are drawn.", (data) => {
  const points = data.candidates.filter((one) => one.mean != null).sort((a, b) => a.mean - b.mean).slice(-300);
  if (points.length < 2 || data.parameters.length === 0) return "too few candidates, or nothing varies";
  const names = [...data.parameters, data.metric];
  const axes = names.map((name) => axis(points.map((one) => name === data.metric ? one.mean : one.parameters[name]), name));
  const places = axes.map((one) => {
    const known = one.values.filter((value) => value !== undefined);
    const numbers = one.numeric ? known.map((value) => one.type === "log" ? Math.log(value) : value) : [...new Set(known)].sort();
    if (!one.numeric) return (value) => value === undefined ? null : (numbers.indexOf(value) + 0.5) / numbers.length;
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    return (value) => value === undefined ? null : high > low ? ((one.type === "log" ? Math.log(value) : value) - low) / (high - low) : 0.5;
  });
  const [low, high] = [points[0].mean, points[points.length - 1].mean];
  const traces = points.map((one, index) => {
    const share = high > low ? (one.mean - low) / (high - low) : 1;
    return { type: "scatter", mode: "lines", x: names, y: axes.map((values, position) => places[position](values.values[index])), connectgaps: true,
      line: { width: 1 + share, color: `rgba(${Math.round(220 - 190 * share)}, ${Math.round(170 - 90 * share)}, ${Math.round(90 + 80 * share)}, ${0.15 + 0.6 * share})` },
      text: names.map((name, position) => `${name}: ${text(axes[position].values[index])}`), hovertemplate: "%{text}<extra></extra>" };
  });
  return () => chart("parallel-chart", traces, { xaxis: { type: "category" }, yaxis: { showticklabels: false, title: { text: "low to high" } } });
});

section("time", "Fit time and score", false, "Up and to the left is better.", (data) => {
  const points = data.candidates.filter((one) => one.mean != null && one.fitSeconds != null);
  if (points.length === 0) return "nothing has been fitted yet";
  return () => chart("time-chart", [{ type: "scatter", mode: "markers", x: points.map((one) => one.fitSeconds), y: points.map((one) => one.mean), marker: { size: 7, opacity: 0.75, color: "#2563a8" },
    text: points.map((one) => `${one.estimator} ${words(one.parameters)}`), hovertemplate: "%{text}<br>%{x:.3g} s, %{y:.5g}<extra></extra>" }],
    { xaxis: { type: "log", title: { text: "seconds a fit, mean over the folds" } }, yaxis: { title: { text: data.metric } } });
});

section("curves", "Score by resource", false, "Where candidates got a resource, a line for each from its first rows to its last; dotted, on the training rows.", (data) => {
  if (data.curves.length === 0) return "no candidate was tried on several parts of the rows";
  const line = (curve, means, kind, more) => ({ type: "scatter", mode: "lines+markers", x: curve.rows, y: means, line: { width: 1, ...more }, marker: { size: 4 }, hovertemplate: `#${curve.candidate}, ${kind}: %{x} rows, %{y:.5g}<extra></extra>` });
  return () => chart("curves-chart", data.curves.flatMap((curve) => [line(curve, curve.means, "test", {}), ...(curve.trainMeans ? [line(curve, curve.trainMeans, "training", { dash: "dot" })] : [])]),
    { xaxis: { type: "log", title: { text: "rows" } }, yaxis: { title: { text: data.metric } } });
});

section("progress", "Best score so far", false, "By the time at which fits ended.", (data) => {
  if (data.progress.length === 0) return "no candidate has scores on every fold yet";
  return () => chart("progress-chart", [{ type: "scatter", mode: "lines", line: { shape: "hv", color: "#2563a8" }, x: data.progress.map((one) => new Date(one.time * 1000)), y: data.progress.map((one) => one.best) }],
    { yaxis: { title: { text: data.metric } } });
});

section("workers", "Workers", true, "When each worker fitted, as far as its fits were sampled; red ones failed.", (data) => {
  if (data.timeline.length === 0) return "nothing has been fitted yet";
  const traces = [false, true].map((failed) => {
    const fits = data.timeline.filter((fit) => fit.failed === failed);
    const [x, y] = [[], []];
    for (const fit of fits) {
      x.push(new Date((fit.end - fit.seconds) * 1000), new Date(fit.end * 1000), null);
      y.push(fit.worker, fit.worker, null);
    }
    return { type: "scatter", mode: "lines+markers", x, y, line: { width: 9, color: failed ? "#c0392b" : "#5b8fc7" }, marker: { size: 3, color: failed ? "#c0392b" : "#2563a8" }, hoverinfo: "x+y" };
  });
  return () => chart("workers-chart", traces, { height: 140 + 26 * new Set(data.timeline.map((fit) => fit.worker)).size, margin: { l: 140, r: 16, t: 10, b: 50 }, yaxis: { type: "category" } });
});

section("failures", "Failures", true, "", (data, place) => {
  if (data.failures.length === 0) return "no fit has failed";
  const table = element("table", {}, element("tr", {}, ...["Times", "Reason", "Message", "First"].map((name) => element("th", {}, name))));
  for (const failure of data.failures) {
    table.append(element("tr", {}, element("td", { class: "number" }, String(failure.count)), element("td", {}, failure.reason),
      element("td", { class: "words" }, failure.message), element("td", { class: "words" }, `${failure.estimator} ${words(failure.parameters)}, fold ${failure.fold}`)));
  }
  place.append(element("div", { class: "scroll" }, table));
});

section("again", "How to reproduce", true, "", (data, place) => {
  if (data.commands.length > 0) {
    place.append(element("p", {}, data.commands.length > 1 ? "The study was begun and continued with" : "The study was begun with"),
      ...data.commands.map((command) => element("pre", {}, command)));
  }
  place.append(element("p", {}, "The best candidate, fitted on all rows:"), element("pre", {}, `apus study best ${data.path} DATA --study ${data.number} --output best.model`));
  const facts = [["Apus", data.version], ["rows", `${data.rows} × ${data.features} features${data.target ? `, target ${data.target}` : ""}`], ["SHA-256 of the rows", data.dataDigest],
    ["folds", data.splitter], ["seed", data.seed], ["metrics", data.metrics.join(", ")]];
  place.append(element("div", { class: "scroll" }, element("table", {}, ...facts.map(([name, value]) => element("tr", {}, element("th", {}, name), element("td", { class: "words" }, value))))));
});

const show = (data) => {
  document.title = `Apus study ${data.number}`;
  document.getElementById("title").textContent = `Study ${data.number} of ${data.path}`;
  document.getElementById("summary").textContent =
    `${data.candidateCount} candidates, ${data.fitCount} fits, ${data.failureCount} failed; begun ${new Date(data.created * 1000).toLocaleString()}`
    + (data.isSampled ? `; ${data.candidates.length} candidates are drawn` : "");
  const main = document.getElementById("main");
  main.replaceChildren();
  for (const { id, title, wide, note, draw } of sections) {
    const place = element("section", { id, class: wide ? "wide" : "" }, element("h2", {}, title));
    if (note) place.append(element("p", {}, note));
    main.append(place);
    const outcome = draw(data, place);
    if (typeof outcome === "string") place.append(element("p", { class: "empty" }, `Nothing to show: ${outcome}.`));
    if (typeof outcome === "function") {
      place.append(element("div", { class: "chart", id: `${id}-chart` }));
      outcome();
    }
  }
};

const start = async () => {
  const packed = Uint8Array.from(atob(document.getElementById("charts").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const source = element("script");
  source.textContent = await new Response(stream).text();
  document.head.append(source);
  let data = JSON.parse(document.getElementById("data").textContent);
  show(data);
  document.body.dataset.drawn = String(document.querySelectorAll(".chart .main-svg").length > 0);
  document.body.dataset.charts = String(document.querySelectorAll(".js-plotly-plot").length);
  document.body.dataset.overflow = String(document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (!data.isLive) return;
  const live = document.getElementById("live");
  live.hidden = false;
  let revision = data.revision;
  for (;;) {
    await new Promise((resume) => setTimeout(resume, 2000));
    try {
      const next = await (await fetch("data.json" + location.search, { cache: "no-store" })).json();
      live.textContent = `Live: ${new Date().toLocaleTimeString()}`;
      if (next.revision !== revision) {
        const scroll = window.scrollY;
        revision = next.revision;
        show(next);
        window.scrollTo(0, scroll);
        document.body.dataset.updates = String(Number(document.body.dataset.updates ?? 0) + 1);
      }
    } catch (problem) {
      live.textContent = "The search's host does not answer; the page shows what came last.";
    }
  }
};
start().catch((problem) => { document.body.dataset.problem = String(problem); document.getElementById("summary").textContent = `The page cannot be drawn: ${problem}`; });
