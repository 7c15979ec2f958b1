import { expect, it } from "vitest";
import { z } from "zod";
import { fromBase64, md5Hex, utf8 } from "../../../shared/crypto/index.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { supplierAccount } from "../testing/callbacks.ts";
import { receiveCallback } from "./callbacks.ts";
import { Packed, unpack } from "./refused-parcel.ts";

const Notice = z
  .object({ body: z.string() })
  .transform(({ body }) => Packed.parse(JSON.parse(body)));

it("what the supplier signed and we cannot read is kept to the last byte in whatever flood, and told", async () => {
  const { ctx, sent } = contextWithQueues();
  const { id, key } = supplierAccount();
  const refuse = (text: string, signature: string) => {
    const bytes = utf8(text);
    const headers = new Headers({ "x-client-signature": signature });
    return receiveCallback(ctx, headers, { bytes, length: bytes.length }).catch(() => null);
  };
  const told: unknown[] = [];
  ctx.log.error = (...words) => void told.push(words);
  // More than a minute of an isolate keeps whole.
  const flood = Array.from({ length: 200 }, (_, n) => `${n} ${"x".repeat(32_000)}`);
  await Promise.all(flood.map((text) => refuse(text, "0")));
  expect(told).toEqual([]);
  const unread = JSON.stringify({
    event: "order.updated",
    order: { ref: "VP1", note: "y".repeat(30_000) },
  });
  await refuse(unread, md5Hex(id + key));
  const last = Notice.parse(sent.at(-1)?.body);
  const [entry] = (await unpack(ctx, last.key, fromBase64(last.entries) ?? utf8(""))) ?? [];
  expect(atob(entry?.body ?? "")).toBe(unread);
  expect(told).toEqual([["signed callback not readable", { length: unread.length, alert: true }]]);
});
