import { isObject, type Json } from "../common/fields.ts";
import { html, page } from "../common/html.ts";
import { controlBody, type Handler, htmlAnswer, json } from "../common/server.ts";
import { type Asked, type Model, readTurn } from "./engine.ts";
import { blocksOf } from "./input.ts";

/** What tests and people do: write scripts, and see what was asked. */
export function handRoutes(model: Model): Record<string, Handler> {
  return {
    "PUT /_scripts": (request) => {
      const { match, turns, loop } = controlBody(request);
      if (typeof match !== "string" || match === "" || !Array.isArray(turns)) {
        return json(400, { error: "a script has match and turns" });
      }
      try {
        model.script(match, turns.map(readTurn), loop === true);
      } catch (error) {
        return json(400, { error: error instanceof Error ? error.message : "bad script" });
      }
      return json(200, { match, turns: turns.length });
    },
    "GET /_scripts": () => json(200, { scripts: model.list() }),
    "GET /_asked": ({ query }) => {
      const match = query.get("match") ?? "";
      return json(200, {
        asked: model.asked.filter(({ body }) => JSON.stringify(body).includes(match)),
      });
    },
  };
}

/** For people: what the model was asked last, newest first, and how to script what it says. */
export function askedPage(model: Model): Handler {
  return () => {
    const cards = model.asked.slice(-30).reverse().map(card);
    const how = html`<p class="dim">Naskah percakapan: PUT /_scripts {match, turns: [{blocks: [{text} | {tool, input}]}]}. Gangguan: GET /_dials.</p>`;
    const empty = cards.length === 0 ? html`<p class="dim">Belum ada pertanyaan.</p>` : null;
    return htmlAnswer(page("Anthropic (tiruan lokal)", html`${how}${empty}${cards}`));
  };
}

function card({ id, at, body, answer, left }: Asked) {
  const messages = Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  const said = messages.map(
    (message) => html`<p><b>${String(message.role)}</b></p>${lines(message)}`,
  );
  const when = new Date(at).toISOString();
  return html`<article><h2>${id}</h2><small>${when} ${String(body.model)}${left ? " (pembaca pergi)" : ""}</small>
    <details><summary>Percakapan</summary>${said}</details><pre>${JSON.stringify(answer, null, 1)}</pre></article>`;
}

const lines = ({ content }: Json) =>
  blocksOf(content).map((block) => html`<pre>${String(block.text ?? JSON.stringify(block))}</pre>`);
