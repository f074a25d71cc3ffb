// Histogram and ROC as they are, as a file.
import { charts } from "./charts.js";
import { Sheet, safe } from "./svg.js";

// Both charts side by side on the page's ground: as pixels, or drawn once more as lines that any size keeps sharp.
export function picture(own, theme, name, kind) {
  const gap = 24;
  const parts = [own.scores, own.square];
  const link = document.createElement("a");
  link.download = `ganad-${name}.${kind}`;
  if (kind === "svg") {
    const drawn = parts.map((c) => new Sheet(c.clientWidth, c.clientHeight, theme));
    charts(own, ...drawn, theme);
    link.href = URL.createObjectURL(new Blob([beside(drawn, gap, theme.page)], { type: "image/svg+xml" }));
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } else {
    const sheet = document.createElement("canvas");
    sheet.width = parts.reduce((sum, c) => sum + c.width + gap, gap);
    sheet.height = Math.max(...parts.map((c) => c.height)) + 2 * gap;
    const pen = sheet.getContext("2d");
    pen.fillStyle = theme.page;
    pen.fillRect(0, 0, sheet.width, sheet.height);
    let x = gap;
    for (const part of parts) {
      pen.drawImage(part, x, gap);
      x += part.width + gap;
    }
    link.href = sheet.toDataURL("image/png");
  }
  link.click();
}

function beside(sheets, gap, ground) {
  const width = sheets.reduce((sum, s) => sum + s.clientWidth + gap, gap);
  const height = Math.max(...sheets.map((s) => s.clientHeight)) + 2 * gap;
  let x = gap;
  const inner = sheets.map((s) => {
    const moved = `<g transform="translate(${x} ${gap})">${s.drawn()}</g>`;
    x += s.clientWidth + gap;
    return moved;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="${safe(ground)}"/>${inner.join("")}</svg>`
  );
}
