// One button per picture, cut out of one sprite. Built again only when the pictures change.
const grids = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const grid = parentElement.querySelector(".grid");
  if (!grid) return;
  const { count, size, multi } = data;

  let own = grids.get(grid);
  if (!own) {
    own = { picked: data.picked, sent: [], at: 0 };
    grids.set(grid, own);
  }
  const built =
    own.version !== data.version || grid.children.length !== count || own.size !== size || own.multi !== multi;
  if (built) {
    Object.assign(own, { version: data.version, size, multi, at: 0, sent: [], picked: data.picked });
    build(grid, data);
  }

  // A rerun of an earlier click must not undo a later one: Python's answer counts once it has caught up.
  const word = JSON.stringify(data.picked);
  if (!own.sent.length || own.sent.at(-1) === word) {
    own.sent = [];
    own.picked = data.picked;
  } else if (!own.sent.includes(word)) {
    own.sent = [];
    own.picked = data.picked;
  }

  const tiles = [...grid.children];
  const isOn = (i) => (multi ? (own.picked || []).includes(i) : own.picked === i);
  const show = () => {
    tiles.forEach((tile, i) => {
      tile.setAttribute(multi ? "aria-pressed" : "aria-selected", String(isOn(i)));
      tile.tabIndex = i === own.at ? 0 : -1;
    });
  };
  const focus = (i) => {
    own.at = Math.max(0, Math.min(count - 1, i));
    show();
    tiles[own.at].focus();
  };
  const pick = (i) => {
    own.at = i;
    if (!multi) own.picked = i;
    else own.picked = isOn(i) ? own.picked.filter((k) => k !== i) : [...(own.picked || []), i].sort((a, b) => a - b);
    own.sent.push(JSON.stringify(own.picked));
    show();
    // With names the click says which picture was under it, whatever the server has drawn since.
    if (data.ids) setTriggerValue("pick", data.ids[i]);
    else setStateValue("picked", own.picked);
  };

  tiles.forEach((tile, i) => {
    const label = data.labels[i];
    if (tile.title !== label) {
      tile.title = label;
      tile.setAttribute("aria-label", label);
    }
    const frame = data.frames ? data.frames[i] : null;
    tile.classList.toggle("framed", Boolean(frame));
    if (frame) tile.style.setProperty("--frame", frame);
    else tile.style.removeProperty("--frame");
    const badge = tile.querySelector(".badge");
    const text = data.badges ? data.badges[i] : "";
    badge.textContent = text;
    badge.hidden = !text;
    tile.onclick = () => pick(i);
  });

  grid.onkeydown = (event) => {
    own.at = Math.max(0, tiles.indexOf(event.target));
    const across = Math.max(1, tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length);
    const target = {
      ArrowLeft: own.at - 1,
      ArrowRight: own.at + 1,
      ArrowUp: own.at - across,
      ArrowDown: own.at + across,
      Home: 0,
      End: count - 1,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (target >= 0 && target < count) focus(target);
  };

  if (built && !multi && Number.isInteger(own.picked)) own.at = own.picked;
  if (own.at >= count) own.at = 0;
  show();
}

function build(grid, { count, cols, size, multi, sprite, name }) {
  grid.replaceChildren();
  grid.setAttribute("role", multi ? "group" : "listbox");
  grid.setAttribute("aria-label", name);
  grid.style.setProperty("--tile", `${size}px`);
  grid.style.setProperty("--sprite", `url(${sprite})`);
  grid.style.setProperty("--across", `${cols * size}px`);
  grid.style.gridTemplateColumns = `repeat(auto-fill, ${size}px)`;
  for (let i = 0; i < count; i++) {
    const tile = document.createElement("button");
    tile.type = "button";
    tile.className = "tile";
    if (!multi) tile.setAttribute("role", "option");
    // Whole pixels: with percentages a neighbour's edge shows at some sizes.
    const place = `${-(i % cols) * size}px ${-Math.floor(i / cols) * size}px`;
    const face = document.createElement("span");
    const ink = document.createElement("span");
    face.className = "face";
    face.style.backgroundPosition = place;
    ink.className = "ink";
    ink.style.maskPosition = place;
    const badge = document.createElement("span");
    badge.className = "badge";
    tile.append(face, ink, badge);
    grid.append(tile);
  }
}
