// Starts a deck: reveal.js, the speaker's window, and formulas that are the size of the text, hidden or not.

window.MathJax = { chtml: { matchFontHeight: false } };

Reveal.initialize({
  width: 1280, height: 720, margin: 0, maxScale: 4, center: false, display: "flex",
  navigationMode: "linear", transition: "none", hash: true, slideNumber: "c/t", plugins: [RevealNotes],
});
