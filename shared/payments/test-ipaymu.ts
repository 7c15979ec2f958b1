import type { Ctx } from "../context.ts";
import { hmacSha256Hex } from "../crypto/index.ts";
import { contextWithQueues, type SentMessage } from "../jobs/test-queues.ts";
import { answer, type FakeNetwork } from "../providers/testing/fake-network.ts";
import { BASE, fakeIpaymu, ok, transaction, VA } from "../providers/testing/ipaymu.ts";
import { openPayment, type TestPayment } from "./test-payments.ts";

/** A context whose iPaymu is the fake network, in an account of its own, and whose queues keep what is sent. */
export function ipaymuContext(network: FakeNetwork, now?: Date): { ctx: Ctx; sent: SentMessage[] } {
  const { ctx, sent } = contextWithQueues();
  const ipaymu = { ...fakeIpaymu(network), account: crypto.randomUUID() };
  const providers = { ...ctx.providers, ipaymu };
  return { ctx: { ...ctx, providers, ...(now && { now: () => now }) }, sent };
}

/** A payment by iPaymu of its own user; nothing has been asked of the provider. */
export const openIpaymu = (fields: Parameters<typeof openPayment>[0] = {}): Promise<TestPayment> =>
  openPayment({ ...fields, provider: "ipaymu", channels: "{redirect}" });

/** A number that no other test uses. */
export const uniqueTransaction = () => 1_000_000 + Math.floor(Math.random() * 9e12);

/** What iPaymu says of a transaction of that payment. */
export const transactionOf = (
  payment: TestPayment,
  changes: Record<string, unknown> & { TransactionId: number },
) => transaction({ ReferenceId: payment.redirect, Amount: payment.amount, ...changes });

/** Lets iPaymu answer one question about a transaction. */
export const tells = (network: FakeNetwork, told: unknown) =>
  network.on("POST", `${BASE}/transaction`, answer(200, ok(told)));

/** Lets iPaymu show its history once. */
export const shows = (network: FakeNetwork, rows: unknown[]) => {
  const Data = { Transaction: rows, Pagination: { total_pages: 1 } };
  return network.on("POST", `${BASE}/history`, answer(200, ok(Data)));
};

export interface Callback {
  body: string;
  headers: Headers;
}

/** A callback of iPaymu about that payment, signed as providers/ipaymu.md §4 says; ASCII only. */
export async function callbackOf(
  payment: TestPayment,
  changes: Record<string, unknown> & { trx_id: number },
): Promise<Callback> {
  const total = String(payment.amount);
  const told: Record<string, unknown> = {
    reference_id: payment.redirect,
    status: "berhasil",
    status_code: 1,
    sub_total: total,
    total,
    amount: total,
    is_escrow: false,
    additional_info: [],
    url: "https://shop.example/api/payment/callback",
    ...changes,
  };
  const sorted = Object.fromEntries(Object.entries(told).sort(([a], [b]) => (a < b ? -1 : 1)));
  const canonical = JSON.stringify(sorted).replaceAll("/", "\\/");
  const headers = new Headers({ "x-signature": await hmacSha256Hex(VA, canonical) });
  return { body: JSON.stringify(told), headers };
}
