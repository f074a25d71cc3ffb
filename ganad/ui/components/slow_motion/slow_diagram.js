// The diagram of a method: nets, and between them the values that are known by now.

const SVG = "http://www.w3.org/2000/svg";
const TILE = 68;
const NAME = 24; // height of a value's name below its tile

// wide: five columns and three rows; on a narrow screen rows and columns are exchanged.
export function drawDiagram(svg, own, scene, moment, wide) {
  const [cell, across, down] = wide ? [[176, 124], 5, 3] : [[122, 118], 3, 5];
  svg.classList.toggle("narrow", !wide);
  svg.setAttribute("viewBox", `0 0 ${cell[0] * across} ${cell[1] * down}`);
  svg.setAttribute("aria-label", `${scene.title}: ${moment.title}`);
  const known = {};
  for (const earlier of scene.moments.slice(0, own.at + 1)) Object.assign(known, earlier.values);
  const place = Object.fromEntries(
    scene.nodes.map((node) => {
      const [column, row] = wide ? [node.column, node.row] : [node.row, node.column];
      return [node.id, [(column + 0.5) * cell[0], (row + 0.5) * cell[1] - 8]];
    }),
  );
  const named = new Set(scene.nodes.filter((node) => node.kind !== "net").map((node) => node.id));
  const flowing = moment.flow.map(([start, end]) => `${start} ${end}`);
  svg.replaceChildren(
    arrowHead(),
    ...scene.edges.map((edge) =>
      arrow(
        [place[edge.start], named.has(edge.start)],
        [place[edge.end], named.has(edge.end)],
        flowing.includes(`${edge.start} ${edge.end}`),
      ),
    ),
    ...scene.nodes.map((node) => picture(node, place[node.id], known[node.id], own, moment)),
  );
}

function element(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function arrowHead() {
  const marker = element("marker", {
    id: "slow-arrow",
    viewBox: "0 0 10 10",
    refX: 8,
    refY: 5,
    markerWidth: 11,
    markerHeight: 11,
    markerUnits: "userSpaceOnUse",
    orient: "auto",
  });
  marker.append(element("path", { d: "M0 0 L10 5 L0 10 z", fill: "currentColor" }));
  const defs = element("defs", {});
  defs.append(marker);
  return defs;
}

// From the edge of one tile to that of the other, straight; steep ones leave and reach a value below its name.
function arrow([[ax, ay], startIsNamed], [[bx, by], endIsNamed], isFlowing) {
  const [dx, dy] = [bx - ax, by - ay];
  const [long, steep] = [Math.max(Math.abs(dx), Math.abs(dy)), Math.abs(dy) > 1.5 * Math.abs(dx)];
  const off = (passesName) => (TILE / 2 + (steep && passesName ? NAME : 7)) / long;
  const [from, to] = [off(startIsNamed && dy > 0), off(endIsNamed && dy < 0)];
  const [sx, sy] = [ax + dx * from, ay + dy * from];
  const [ex, ey] = [bx - dx * to, by - dy * to];
  return element("path", {
    class: isFlowing ? "edge flowing" : "edge",
    d: `M${sx} ${sy} L${ex} ${ey}`,
    "marker-end": "url(#slow-arrow)",
  });
}

function picture(node, [x, y], value, own, moment) {
  const learns = node.kind === "net" && moment.learns.includes(node.weights);
  const group = element("g", {
    class: `node ${node.kind}${moment.lit.includes(node.id) ? " lit" : ""}`,
    "data-node": node.id,
  });
  const half = TILE / 2;
  if (node.kind === "net") {
    const colour = own.data.players[node.net];
    group.append(
      element("path", {
        d: netShape(node.net, x, y, half),
        fill: colour,
        "fill-opacity": learns ? 0.55 : 0.2,
        stroke: colour,
        "stroke-width": learns ? 5 : 2,
      }),
      element("text", { class: "letter", x, y: y + 8 }, node.label),
      ...(learns ? [element("text", { class: "learning", x, y: y + half + 17 }, "learns")] : []),
    );
    return group;
  }
  const label = element("text", { class: "label", x, y: y + half + 17 }, node.label);
  if (value === undefined)
    group.append(
      element("rect", { class: "empty", x: x - half, y: y - half, width: TILE, height: TILE, rx: 5 }),
      label,
    );
  else if (typeof value === "number")
    group.append(
      element("rect", { class: "frame", x: x - half - 8, y: y - 20, width: TILE + 16, height: 40, rx: 8 }),
      element("text", { class: "value", x, y: y + 6 }, short(value)),
      element("text", { class: "label", x, y: y + 37 }, node.label),
    );
  else {
    const canvas = paintArray(own.arrays[value.array], node.kind === "image", own.data.signs);
    const [width, height] = fit(canvas.width, canvas.height);
    group.append(
      element("image", {
        href: canvas.toDataURL(),
        x: x - width / 2,
        y: y - height / 2,
        width,
        height,
        preserveAspectRatio: "none",
      }),
      element("rect", { class: "frame", x: x - width / 2, y: y - height / 2, width, height, rx: 3 }),
      label,
    );
  }
  return group;
}

function netShape(player, x, y, half) {
  const narrow = half * 0.45;
  if (player === "encoder")
    return `M${x - half} ${y - half} L${x + half} ${y - narrow} L${x + half} ${y + narrow} L${x - half} ${y + half} z`;
  if (player === "generator")
    return `M${x - half} ${y - narrow} L${x + half} ${y - half} L${x + half} ${y + half} L${x - half} ${y + narrow} z`;
  return `M${x} ${y - half} L${x + half} ${y} L${x} ${y + half} L${x - half} ${y} z`;
}

function fit(width, height) {
  const scale = TILE / Math.max(width, height);
  return [width * scale, height * scale];
}

export function short(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

// An array as a picture: an image in grey; anything else orange below zero, blue above, feature maps side by side.
export function paintArray({ shape, numbers }, isImage, signs) {
  const [maps, height, width] = shape.length === 3 ? shape : [1, ...asGrid(shape[0])];
  const side = maps === 1 ? 1 : Math.ceil(Math.sqrt(Math.min(maps, 16)));
  const shown = Math.min(maps, side * side);
  const canvas = Object.assign(document.createElement("canvas"), {
    width: side * width,
    height: Math.ceil(shown / side) * height,
  });
  const pen = canvas.getContext("2d");
  const pixels = pen.createImageData(canvas.width, canvas.height);
  const most = numbers.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
  for (let map = 0; map < shown; map++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const from = map * height * width + row * width + column;
        if (from >= numbers.length) continue;
        const at = 4 * ((Math.floor(map / side) * height + row) * canvas.width + (map % side) * width + column);
        pixels.data.set(isImage ? grey(numbers[from]) : signed(numbers[from] / most, signs), at);
      }
  pen.putImageData(pixels, 0, 0);
  return canvas;
}

// Rows and columns that hold n numbers, as square as their divisors allow.
function asGrid(n) {
  let rows = Math.floor(Math.sqrt(n));
  while (n % rows) rows--;
  return rows < Math.sqrt(n) / 2
    ? [Math.floor(Math.sqrt(n)), Math.ceil(n / Math.floor(Math.sqrt(n)))]
    : [rows, n / rows];
}

function grey(value) {
  const level = Math.round((Math.max(-1, Math.min(1, value)) + 1) * 127.5);
  return [level, level, level, 255];
}

function signed(share, [below, above]) {
  const colour = share < 0 ? below : above;
  const size = Math.abs(share);
  const channel = (from) => Number.parseInt(colour.slice(from, from + 2), 16);
  const ground = [12, 17, 23];
  return [...[1, 3, 5].map((from, i) => Math.round(ground[i] + size * (channel(from) - ground[i]))), 255];
}
