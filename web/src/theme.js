// Light or dark: as the page says or, where it says nothing, as the system does.

/** @returns {boolean} whether the surrounding page is dark */
export function isDark() {
  const book = document.documentElement.dataset.theme; // the book: "light", "dark"
  const lab = document.body.dataset.jpThemeLight; // JupyterLab: "true", "false"
  const code = document.body.dataset.vscodeThemeKind; // VS Code: "vscode-dark", …
  if (book === "light" || book === "dark") return book === "dark";
  if (lab) return lab === "false";
  if (code) return !code.endsWith("light");
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

/**
 * Keeps `root` in the page's theme, and says when it changed. Returns what ends that.
 * @param {HTMLElement} root
 * @param {() => void} changed
 */
export function followTheme(root, changed) {
  const update = () => {
    root.classList.toggle("lx-dark", isDark());
    changed();
  };
  const watcher = new MutationObserver(update);
  const attributeFilter = ["data-theme", "data-jp-theme-light", "data-vscode-theme-kind"];
  const attributes = { attributes: true, attributeFilter };
  watcher.observe(document.documentElement, attributes);
  watcher.observe(document.body, attributes);
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", update);
  update();
  return () => {
    watcher.disconnect();
    system.removeEventListener("change", update);
  };
}
