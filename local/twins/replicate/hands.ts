import { button, html, page } from "../common/html.ts";
import { controlAnswer, controlBody, type Handler, htmlAnswer, json } from "../common/server.ts";
import { type Prediction, type Replicate, textOf } from "./engine.ts";

const isNo = (value: unknown) => value === false || value === "false";

function onPrediction(
  replicate: Replicate,
  act: (prediction: Prediction, body: Record<string, unknown>) => Promise<unknown>,
): Handler {
  return async (request) => {
    const prediction = replicate.predictions.get(request.params.id ?? "");
    if (!prediction) return json(404, { error: "no such prediction" });
    return controlAnswer(request, await act(prediction, controlBody(request)));
  };
}

function view(replicate: Replicate, prediction: Prediction) {
  return { ...replicate.view(prediction), notices: replicate.outbox.list(prediction.id) };
}

/** What tests and people do: end a prediction, send its webhook again or forged, let time pass. */
export function handRoutes(replicate: Replicate): Record<string, Handler> {
  const ending = (status: "failed" | "canceled"): Handler =>
    onPrediction(replicate, async (prediction) => {
      const sent = replicate.end(prediction, status, { error: "ended by hand" });
      await Promise.race([sent, replicate.timers.wait(2000)]);
      return view(replicate, prediction);
    });
  return {
    "POST /_fail/:id": ending("failed"),
    "POST /_cancel/:id": ending("canceled"),
    "POST /_notify/:id": onPrediction(replicate, async (prediction, body) => {
      const url = typeof body.url === "string" ? body.url : prediction.webhook;
      const to = replicate.options.keepWebhooks && body.url === undefined ? "" : url;
      const notice = replicate.noticeOf(prediction, "completed", to);
      return await replicate.outbox.sendAsIs(notice, isNo(body.sign));
    }),
    "POST /_clock": (request) => {
      replicate.shiftMs = Number(controlBody(request).shift_ms ?? 0);
      return json(200, { now: new Date(replicate.clock()).toISOString() });
    },
    "GET /_state": () =>
      json(200, {
        predictions: [...replicate.predictions.values()].map((one) => view(replicate, one)),
      }),
    "GET /_notices": ({ query }) =>
      json(200, replicate.outbox.list(query.get("subject") ?? undefined)),
  };
}

/** For people: the last predictions, newest first. */
export function predictionPage(replicate: Replicate): Handler {
  return () => {
    const cards = [...replicate.predictions.values()]
      .slice(-50)
      .reverse()
      .map((one) => {
        const tools = replicate.isFinal(one)
          ? [
              button("Kirim ulang webhook", `/_notify/${one.id}`),
              button("Webhook palsu", `/_notify/${one.id}`, { sign: "false" }),
            ]
          : [button("Gagalkan", `/_fail/${one.id}`)];
        const link = one.output ? html`<p><a href="${one.output}">Hasil</a></p>` : null;
        return html`<article><h2>${one.id}</h2><p>${one.status} ${one.error}</p><small>${textOf(one)}</small>${link}${tools}</article>`;
      });
    const empty = cards.length === 0 ? html`<p class="dim">Belum ada foto.</p>` : null;
    return htmlAnswer(page("Replicate (tiruan lokal)", html`${empty}${cards}`));
  };
}
