// Four buttons, one for each way in which a verdict and the truth can meet, with some digits of each.
import { make } from "../elements.js";

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const box = parentElement.querySelector(".outcomes");
  if (!box) return;
  const word = JSON.stringify(data);
  if (box.dataset.word === word) return;
  box.dataset.word = word;
  box.style.setProperty("--sprite", `url(${data.sprite})`);
  const cell = ({ name, title, count, share, colour, depth, from, faces, picked, alt }) => {
    const button = make("button", "cell");
    button.type = "button";
    button.dataset.name = name;
    button.style.setProperty("--own", colour);
    button.style.setProperty("--depth", `${depth}%`);
    button.setAttribute("aria-pressed", String(picked));
    button.setAttribute("aria-label", alt);
    const number = make("span", "number");
    number.append(make("b", "", count), make("span", "", share));
    const strip = make("span", "faces");
    for (let i = 0; i < faces; i++) {
      const face = make("span", "face");
      face.style.backgroundPosition = `${-28 * (from + i)}px 0`;
      strip.append(face);
    }
    button.append(number, make("span", "", title), strip);
    button.onclick = () => setTriggerValue("pick", name);
    return button;
  };
  const [hits, misses, alarms, correct] = data.cells.map(cell);
  const focused = box.querySelector("button:focus")?.dataset.name ?? parentElement.activeElement?.dataset?.name;
  box.replaceChildren(
    make("span"),
    make("span", "head", "called anomalous"),
    make("span", "head", "called normal"),
    make("span", "side", "anomalies"),
    hits,
    misses,
    make("span", "side", "normal"),
    alarms,
    correct,
  );
  if (focused) box.querySelector(`[data-name="${focused}"]`)?.focus();
}
