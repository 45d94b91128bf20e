// The check of an explanation: the logit while what the map names is taken away, and put back.
(() => {
  const M = window.msecnn, { h, svg } = M;
  const NAMES = { random: "random order", loudness: "loudest first" };
  const WIDTH = 540, HEIGHT = 220, LEFT = 40, BOTTOM = 26;

  const panel = (curves, which, title) => {
    const all = curves.flatMap((curve) => curve[which]), low = Math.min(...all), high = Math.max(...all), room = (high - low) * 0.06 || 1;
    const x = (fraction) => LEFT + fraction * (WIDTH - LEFT - 8), y = (logit) => 8 + (1 - (logit - low + room) / (high - low + 2 * room)) * (HEIGHT - 8 - BOTTOM);
    const text = (at, words, attributes = {}) => { const element = svg("text", { x: at[0], y: at[1], ...attributes }); element.textContent = words; return element; };
    return h("figure", {}, h("figcaption", {}, title), svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${curves.map((curve) => `${words(curve)}, mean logit ${mean(curve, which).toFixed(2)}`).join("; ")}` },
      ...[0, 0.25, 0.5, 0.75, 1].map((fraction) => text([x(fraction), HEIGHT - 8], `${100 * fraction} %`, { "text-anchor": fraction === 1 ? "end" : "middle" })),
      ...[low, high].map((logit) => text([LEFT - 6, y(logit) + 4], logit.toFixed(1).replace("-", "−"), { "text-anchor": "end" })),
      ...curves.map((curve, i) => svg("polyline", { class: `order-${i}`, points: curve.fractions.map((fraction, n) => `${x(fraction)},${y(curve[which][n])}`).join(" ") }))));
  };
  const words = (curve) => NAMES[curve.order_name] || "this map's order";
  const mean = (curve, which) => (which === "deletion" ? curve.deletion_area : curve.insertion_area);

  const verdict = ([map, random]) => {
    const falls = map.deletion_area < random.deletion_area, rises = map.insertion_area > random.insertion_area;
    const figures = `Mean logit while cells are taken out: ${map.deletion_area.toFixed(2)} in the map's order, ${random.deletion_area.toFixed(2)} in random order; while they are put in: ${map.insertion_area.toFixed(2)} and ${random.insertion_area.toFixed(2)}.`.replaceAll("-", "−");
    if (falls && rises) return `Both ways this map beats chance: it names cells that matter. ${figures}`;
    if (falls || rises) return `This map beats chance one way only: trust it with care. ${figures}`;
    return `This map is no better than chance here: do not trust it. ${figures}`;
  };

  M.curves = ({ curves, tag }) => h("div", { class: "mse-curves" }, h("p", {}, verdict(curves)),
    h("div", { class: "mse-legend" }, curves.map((curve, i) => h("span", { class: `order-${i}` }, h("i"), words(curve)))),
    h("div", { class: "mse-curve-panels" }, panel(curves, "deletion", `Logit of ${tag} while cells are taken out`), panel(curves, "insertion", "while they are put back in")));
})();
