/**
 * The one script, inlined in every page. Every page works without it; with it, one click is one order, changed
 * quantities save themselves, districts are suggested while typing, totals follow the chosen courier, a payment code can
 * be kept as a picture, and what happens to an order shows itself. Plain text and not a function's source, because bundlers rewrite functions.
 */
export const SCRIPT = `(() => {
"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const rupiah = (amount) => "Rp" + amount.toLocaleString("id-ID");

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const form of all("form[data-sent]")) delete form.dataset.sent;
  for (const button of all("[aria-busy]")) button.removeAttribute("aria-busy");
});

for (const element of all("[data-script]")) element.hidden = false;
for (const element of all("[data-no-script]")) element.hidden = true;
for (const field of all("[data-save]")) {
  field.addEventListener("change", () => field.value !== "" && field.form.requestSubmit());
}
for (const button of all("[data-step]")) {
  button.addEventListener("click", () => {
    const input = one("input[type=number]", button.parentElement);
    if (button.dataset.step === "1") input.stepUp();
    else input.stepDown();
  });
}
for (const button of all("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Tersalin";
  });
}
// A code is drawn in place; payment apps read pictures from the gallery.
for (const button of all("[data-keep]")) {
  button.addEventListener("click", () => {
    const drawn = one(".qr svg");
    const modules = drawn.viewBox.baseVal.width;
    const margin = 2;
    const scale = Math.ceil(1000 / (modules + 2 * margin));
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = (modules + 2 * margin) * scale;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(scale, 0, 0, scale, margin * scale, margin * scale);
    for (const path of all("path", drawn)) {
      pen.fillStyle = path.getAttribute("fill");
      pen.fill(new Path2D(path.getAttribute("d")));
    }
    canvas.toBlob((picture) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(picture);
      link.download = button.dataset.keep;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    });
  });
}

const checkout = one("[data-checkout]");
if (checkout) {
  const press = (action) => checkout.requestSubmit(one("[name=aksi][value=" + action + "]", checkout));
  let pointed = false;
  checkout.addEventListener("pointerdown", () => { pointed = true; });
  checkout.addEventListener("keydown", () => { pointed = false; });
  checkout.addEventListener("change", (event) => {
    const { name, dataset } = event.target;
    // Arrow keys walk through the districts; only a tap means one of them.
    if (name === "area" && pointed) press("ongkir");
    if (name === "courier") {
      const goods = Number(checkout.dataset.goods);
      for (const element of all("[data-shipping]")) element.textContent = rupiah(Number(dataset.price));
      for (const element of all("[data-total]")) element.textContent = rupiah(goods + Number(dataset.price));
    }
  });
  const typed = one("[name=wilayah]", checkout);
  const list = one("[data-areas]", checkout);
  let timer = 0;
  let asked = typed.value;
  const suggest = async () => {
    const text = typed.value.trim();
    if (text.length < 3 || text === asked) return;
    asked = text;
    const answer = await fetch("/checkout/wilayah?q=" + encodeURIComponent(text)).catch(() => null);
    if (!answer?.ok || answer.redirected || asked !== text) return;
    const areas = await answer.json();
    list.replaceChildren(...areas.map(choice));
    one("[data-areas-said]", checkout).textContent =
      areas.length > 0 ? areas.length + " wilayah ditemukan" : "Wilayah tidak ditemukan";
  };
  const choice = (area) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    const name = document.createElement("span");
    Object.assign(radio, { type: "radio", name: "area", value: area.area_id + "|" + area.name });
    name.textContent = area.name;
    label.className = "choice";
    label.append(radio, name);
    return label;
  };
  typed.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, 350);
  });
}

const clock = one("[data-left]");
if (clock) {
  const end = performance.now() + Number(clock.dataset.left) * 1000;
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    clock.textContent = String(Math.floor(left / 60)).padStart(2, "0") + ":" + String(left % 60).padStart(2, "0");
    if (left > 0) setTimeout(tick, 1000);
  };
  tick();
}

const watched = one("[data-watch]");
if (watched) {
  const calm = Number(watched.dataset.ask);
  let pause = calm;
  let asked = 0;
  let timer = 0;
  const ask = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    asked += 1;
    if (asked > 60) pause = Math.max(calm, Math.min(15000, pause * 1.25));
    try {
      const answer = await fetch(watched.dataset.watch, { cache: "no-store" });
      if (answer.status === 401) return location.reload();
      if (answer.ok && (await answer.json()).key !== watched.dataset.key) return location.reload();
      if (answer.ok && asked <= 60) pause = asked < 10 ? calm : Math.max(calm, 3000);
      if (!answer.ok) pause = Math.min(60000, pause * 2);
    } catch {
      pause = Math.min(60000, pause * 2);
    }
    timer = setTimeout(ask, pause);
  };
  timer = setTimeout(ask, pause);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
}
})();`;
