// Draws the Vega-Lite spec in data-chart, in the page's own colours.
// The drawing library is large, so it is fetched when the first chart comes near the window.
const source = document.querySelector('meta[name="cx-chart-library"]')?.content;
const isFrench = document.documentElement.lang.startsWith("fr");
const drawn = new Map();
let library;

const FRENCH_NUMBERS = {
  decimal: ",", thousands: "\u202f", grouping: [3], currency: ["", "\u00a0€"], percent: "\u202f%", minus: "\u2212",
};
const ENGLISH_NUMBERS = { decimal: ".", thousands: ",", grouping: [3], currency: ["$", ""], minus: "\u2212" };
const FRENCH_DATES = {
  dateTime: "%A %e %B %Y à %X", date: "%d/%m/%Y", time: "%H:%M:%S", periods: ["", ""],
  days: ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"],
  shortDays: ["dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."],
  months: [
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
  ],
  shortMonths: ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
};

// A probe turns a token into the colour it stands for now, light or dark.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);
const token = (name) => {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
};

const coloured = (value) => {
  if (typeof value === "string") return /^@[a-z-]+$/.test(value) ? token(value.slice(1)) : value;
  if (Array.isArray(value)) return value.map(coloured);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
  }
  return value;
};

const theme = () => {
  const font = getComputedStyle(document.body).fontFamily;
  const [ink, muted, line, accent, better, worse, unclear] = [
    "ink", "muted", "line", "accent", "better", "worse", "unclear",
  ].map(token);
  return {
    background: "transparent",
    font,
    padding: 0,
    autosize: { type: "fit-x", contains: "padding" },
    view: { stroke: null, continuousHeight: 220 },
    axis: {
      domain: false, ticks: false, gridColor: line, gridWidth: 1, labelColor: muted, labelFontSize: 12,
      labelPadding: 6, title: null, titleColor: muted, titleFontSize: 12, titleFontWeight: 500, tickCount: 5,
      labelOverlap: true,
    },
    axisX: { grid: false, domain: true, domainColor: line, ticks: true, tickColor: line, tickSize: 4 },
    axisTemporal: { labelAngle: 0, tickCount: 6 },
    legend: { labelColor: ink, labelFontSize: 12, title: null, symbolStrokeWidth: 2, orient: "top" },
    header: { labelColor: ink, labelFontSize: 12, title: null },
    title: { color: ink, fontSize: 14, fontWeight: 700, anchor: "start" },
    text: { color: ink, fontSize: 12, font },
    line: { color: accent, strokeWidth: 2, strokeJoin: "round", strokeCap: "round" },
    area: { color: accent, opacity: 0.16, line: false },
    point: { color: accent, filled: true, size: 48 },
    rule: { color: muted, strokeWidth: 1 },
    tick: { color: accent },
    bar: { color: accent },
    range: { category: [accent, unclear, better, worse, muted] },
  };
};

const draw = async (figure) => {
  const place = figure.querySelector("[data-chart-drawing]");
  if (!place) return;
  const spec = coloured(JSON.parse(figure.dataset.chart));
  library ??= import(source);
  await library; // It puts vegaEmbed on the window.
  drawn.get(figure)?.finalize();
  const result = await window.vegaEmbed(place, { width: "container", ...spec }, {
    mode: "vega-lite",
    actions: false,
    ast: true,
    renderer: "svg",
    defaultStyle: false,
    config: theme(),
    tooltip: { disableDefaultStyle: true },
    formatLocale: isFrench ? FRENCH_NUMBERS : ENGLISH_NUMBERS,
    ...(isFrench ? { timeFormatLocale: FRENCH_DATES } : {}),
  });
  place.querySelector("svg")?.setAttribute("aria-hidden", "true");
  drawn.set(figure, result);
};

const hand = (url, name) => {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
};

// data-chart-save="png" or "svg" keeps the drawing as a file, on the page's own ground.
const save = async (button) => {
  const figure = button.closest("[data-chart]");
  if (!drawn.has(figure)) await draw(figure);
  const { view } = drawn.get(figure);
  const name = `${figure.id}.${button.dataset.chartSave}`;
  view.background(token("surface"));
  if (button.dataset.chartSave === "png") {
    hand(await view.toImageURL("png", 2), name);
  } else {
    const url = URL.createObjectURL(new Blob([await view.toSVG()], { type: "image/svg+xml" }));
    hand(url, name);
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
  view.background("transparent");
  button.closest("details")?.removeAttribute("open");
};

const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      draw(entry.target);
    }
  },
  { rootMargin: "200px" },
);

const adopt = (root) => {
  const figures = root.matches?.("[data-chart]") ? [root] : root.querySelectorAll("[data-chart]");
  for (const figure of figures) watcher.observe(figure);
};

const redraw = () => {
  for (const figure of [...drawn.keys()]) {
    if (figure.isConnected) draw(figure);
    else {
      drawn.get(figure).finalize();
      drawn.delete(figure);
    }
  }
};

if (source) {
  adopt(document);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart-save]");
    if (button) save(button);
  });
  document.body.addEventListener("htmx:load", (event) => adopt(event.detail.elt));
  document.addEventListener("cx:theme", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}
