// The grid moves like a spreadsheet: arrows and Enter from box to box. Whatever else a key does stays as it is.
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [1, 0] };

document.addEventListener("keydown", (event) => {
  const cell = event.target.closest("table.grid td");
  const step = STEPS[event.key];
  if (!cell || !step || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Enter" && event.target.matches("a")) return; // follows the link to correct
  if (step[1] && !atEdge(event.target, step[1])) return;
  event.preventDefault();
  const down = event.key === "Enter" && event.shiftKey ? -1 : step[0];
  go(cell, down, step[1]);
});

function atEdge(box, way) {
  if (box.selectionStart === undefined || box.selectionStart === null) return true; // a link has no caret
  if (box.selectionStart === 0 && box.selectionEnd === box.value.length) return true;
  return way < 0 ? box.selectionEnd === 0 : box.selectionStart === box.value.length;
}

// to the next cell that can be typed in or followed, over those that cannot
function go(cell, down, right) {
  const row = cell.parentElement;
  const rows = [...row.parentElement.children];
  let y = rows.indexOf(row) + down;
  let x = [...row.children].indexOf(cell) + right;
  while (rows[y] && rows[y].children[x]) {
    const next = rows[y].children[x].querySelector("input, a");
    if (next) {
      next.focus();
      if (next.select) next.select();
      return;
    }
    y += down;
    x += right;
  }
}
