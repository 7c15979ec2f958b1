import { sql } from "drizzle-orm";
import { Webhook } from "svix";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { api, settleBackground, standIns, testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { askAboutOrder } from "../orders/read.ts";
import { deliverWebhook } from "../resellers/deliver.ts";
import { callPanel } from "../resellers/panel/panel.ts";
import {
  createReseller,
  instagram,
  ordersOf,
  type Reseller,
  stockService,
  vipTwin,
} from "./reseller.ts";

export const ENDPOINTS = "/api/reseller/endpoints";
/** A stand-in that takes anything, should a job be run by another than the test. */
export const HOOK = `${standIns().vipReseller}/hook`;

/** An endpoint of that user, with its secret. */
export async function addEndpoint(user: TestUser, json: Record<string, unknown> = {}) {
  const url = HOOK;
  const made = await api(ENDPOINTS, { method: "POST", token: user.token, json: { url, ...json } });
  if (made.status !== 200) throw new Error(`no endpoint: ${JSON.stringify(made.body)}`);
  return made.body.data;
}

export interface Received {
  url: string;
  body: string;
  headers: Record<string, string>;
  redirect: string | undefined;
}

/** A receiver that answers in turn, the last answer for ever, and keeps what it got. */
export function receiver(...answers: (number | Error)[]) {
  const got: Received[] = [];
  const send = async (url: string, init: RequestInit) => {
    const headers = Object.fromEntries(new Headers(init.headers));
    const answer = answers[Math.min(got.length, answers.length - 1)] ?? 200;
    got.push({ url, body: String(init.body), headers, redirect: init.redirect });
    if (answer instanceof Error) throw answer;
    return new Response(null, { status: answer });
  };
  return { got, handler: deliverWebhook(send) };
}

/** What the official library of the standard says of a call: throws unless the signature holds. */
export function verify(secret: string, call: Received | undefined): void {
  if (!call) throw new Error("nothing was received");
  new Webhook(secret).verify(call.body, call.headers);
}

const Deliveries = z.object({
  id: z.string(),
  type: z.string(),
  job: z.string(),
  state: z.string(),
});

/** The deliveries to an endpoint in the order of their events, with their jobs. */
export async function deliveriesOf(endpointId: string) {
  return await testContext().db.run(
    rows(
      sql`select d.id, d.type, d.state, j.id as job from topup_deliveries d
        join jobs j on j.dedupe_key = 'topup.deliver/' || d.id || '/' || d.round
        where d.endpoint_id = ${endpointId} order by d.event_seq`,
      Deliveries,
    ),
  );
}

export const execute = (change: ReturnType<typeof sql>) =>
  testContext().db.run(rows(change, z.unknown()));

/**
 * Buys, and sees the order through to the end that the twin is told. Here and not over the API, whose wakes would have
 * the Worker's own consumer send what a test wants to send.
 */
export async function order({ key, user }: Reseller, end: "_succeed" | "_partial" | "_fail") {
  const { ctx } = contextWithQueues();
  const social = await stockService("social");
  const link = instagram();
  await vipTwin("/_dials", { stay: { match: link } }, "PUT");
  const fields = { key, action: "add", service: String(social.number), link, quantity: "100" };
  const from = { address: "203.0.113.1", idempotencyKey: undefined };
  const { order: number } = z
    .object({ order: z.number() })
    .parse(await new Response(await callPanel(ctx, fields, from)).json());
  await settleBackground();
  const trxid = (await ordersOf(user.userId)).at(-1)?.trxid ?? "";
  await vipTwin(`/${end}/${trxid}`, end === "_partial" ? { remain: 40 } : {});
  await askAboutOrder({ ...contextWithQueues().ctx, actor: user }, { trxid });
  return { number, trxid };
}

/** A reseller with an endpoint and the deliveries of one order that succeeded. */
export async function delivered(json: Record<string, unknown> = {}) {
  const reseller = await createReseller();
  const endpoint = await addEndpoint(reseller.user, json);
  const bought = await order(reseller, "_succeed");
  return { reseller, endpoint, bought, deliveries: await deliveriesOf(endpoint.id) };
}

/** What the owner of an endpoint sees of its deliveries. */
export const log = async (user: TestUser, id: string, query = "") =>
  (await api(`${ENDPOINTS}/${id}/deliveries${query}`, { token: user.token })).body.data;
