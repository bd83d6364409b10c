// A click on an image of the data set, or a file: its contents go with the event, and not to gradio's uploads on the disk.
const tell = (text) => { element.querySelector("[role=status]").textContent = text; };
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-k]");
  if (button) {
    tell("");
    trigger("select", { k: Number(button.dataset.k) });
  }
  if (event.target.type === "file") event.target.value = "";
});
element.addEventListener("change", (event) => {
  const file = event.target.files?.[0];
  if (!file) return;
  if (file.size > Number(event.target.dataset.limit)) {
    tell("The file has more than 10 MB.");
    return;
  }
  tell("");
  const reader = new FileReader();
  reader.onload = () => trigger("upload", { contents: reader.result.slice(reader.result.indexOf(",") + 1) });
  reader.readAsDataURL(file);
});
