// Plain ipywidgets in a page without a kernel: loads Jupyter's own widget manager when the reader comes near one.
//
// The manager stands in vendor/ (3.7 MB, so only pages that show such widgets ask for it). What it would fetch from
// elsewhere it is told to look for here. It compiles JSON schemas with eval: where a Content-Security-Policy forbids that,
// a sentence stands in its place.

(() => {
  "use strict";

  const vendor = new URL("vendor/", document.currentScript.src);
  const places = [...document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]')]
    .map((script) => script.parentElement);

  function load(file, attributes = {}) {
    return new Promise((arrive, fail) => {
      const script = document.createElement("script");
      for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value);
      script.onload = arrive;
      script.onerror = () => fail(new Error(`${file} did not load`));
      script.src = new URL(file, vendor);
      document.head.append(script);
    });
  }

  /** A sentence where the widgets would stand. */
  function explain() {
    for (const place of places) {
      if (place.querySelector(".jupyter-widgets")) continue;
      const words = document.createElement("p");
      words.className = "widgets-missing";
      words.textContent = "The sliders of this cell could not be shown in the page. Run the notebook to use them.";
      place.append(words);
    }
  }

  /** The manager's sliders have a label beside them, and say nothing to a screen reader: name their handles by it. */
  function nameSliders() {
    for (const slider of document.querySelectorAll(".widget-slider")) {
      const name = slider.querySelector(".widget-label")?.textContent ?? "slider";
      const handle = slider.querySelector("[role=slider]");
      if (handle && handle.getAttribute("aria-label") !== name) handle.setAttribute("aria-label", name);
      const readout = slider.querySelector(".widget-readout");
      if (readout && !readout.hasAttribute("aria-label")) {
        readout.setAttribute("role", "textbox");
        readout.setAttribute("aria-label", `${name}, as a number`);
      }
    }
  }

  async function start() {
    window.__jupyter_widgets_assets_path__ = new URL("html-manager/", vendor).href;
    window.require = { baseUrl: new URL("anywidget/", vendor).href, paths: { anywidget: "index" } };
    if (window.MathJax) window.MathJax.Hub = { Queue() {} }; // the manager speaks to MathJax 2, the book has MathJax 3
    try {
      await load("requirejs/require.js");
      await load("html-manager/embed-amd.js", { "data-jupyter-widgets-cdn": "/no-cdn/" });
      for (const place of places) {
        new MutationObserver(nameSliders).observe(place, { childList: true, subtree: true });
      }
      setTimeout(explain, 10_000);
    } catch {
      explain();
    }
  }

  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    start();
  }, { rootMargin: "800px" });
  for (const place of places) watcher.observe(place);
})();
