// gradio gives each option of a picker a name of its own, so that the browser's arrow keys do not move between them.
() => document.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step || event.target.type !== "radio") return;
  const options = [...event.target.closest("fieldset").querySelectorAll("input[type=radio]")];
  const next = options[(options.indexOf(event.target) + step + options.length) % options.length];
  event.preventDefault();
  next.focus();
  next.click();
})
