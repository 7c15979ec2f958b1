import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground } from "../../workers/testing/api.ts";
import { unique } from "../../workers/testing/factories.ts";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { runJob, type Wake, wakeSchema } from "../jobs/jobs.ts";
import { age, readJob } from "../jobs/test-jobs.ts";
import { contextWithQueues } from "../jobs/test-queues.ts";
import { createResend } from "../providers/resend.ts";
import { mailJob, mailTemplate } from "./mail.ts";

const greeting = mailTemplate({
  name: "greeting",
  schema: z.object({ name: z.string() }),
  subject: ({ name }) => `Halo\r\nBcc: ${name}`,
  page: ({ name }) => ({ title: "Selamat datang", blocks: [{ kind: "text", text: name }] }),
});

interface Posted {
  key: string | null;
  body: Record<string, unknown>;
}

/** A context whose mail provider is a network double that answers in turn, the last answer for ever. */
function contextWithMail(...answers: (() => Response)[]) {
  const posted: Posted[] = [];
  const { ctx, sent } = contextWithQueues();
  const resend = createResend({
    apiKey: "re_test",
    baseUrl: "https://mail.test",
    timeoutMs: 1000,
    sleep: async () => undefined,
    fetch: async (_url, init) => {
      const answer = answers[Math.min(posted.length, answers.length - 1)] ?? accepted;
      const body = z.record(z.string(), z.unknown()).parse(JSON.parse(String(init.body)));
      posted.push({ key: new Headers(init.headers).get("idempotency-key"), body });
      return answer();
    },
  });
  return { ctx: { ...ctx, providers: { ...ctx.providers, resend } } satisfies Ctx, sent, posted };
}

const accepted = () => Response.json({ id: "mail-1" });
const refusal =
  (status: number, name: string, headers = {}) =>
  () =>
    Response.json({ statusCode: status, name, message: "no" }, { status, headers });

async function enqueueMail(
  ctx: Ctx,
  to: string | null,
  key = unique(),
  data: unknown = { name: "Ana" },
) {
  const call = sql`select jobs_wakes(mail_enqueue('greeting', ${to}, ${key}, ${JSON.stringify(data)}::jsonb)) as wake`;
  const [row] = await ctx.db.run(rows(call, z.object({ wake: wakeSchema })));
  return row?.wake ?? [];
}

async function newMail(ctx: Ctx): Promise<Wake> {
  const [wake] = await enqueueMail(ctx, "ana@contoh.co");
  if (!wake) throw new Error("no mail was made");
  return wake;
}

describe("a mail", () => {
  test("is written once per key, and not at all when there is nobody to write to", async () => {
    const { ctx } = contextWithMail();
    const key = unique();
    expect(await enqueueMail(ctx, "a@contoh.co", key)).toMatchObject([{ queue: "mail" }]);
    expect(await enqueueMail(ctx, "a@contoh.co", key)).toEqual([]);
    expect(await enqueueMail(ctx, null)).toEqual([]);
  });

  test("is sent in both forms under its job's id, once", async () => {
    const { ctx, posted } = contextWithMail();
    const { id } = await newMail(ctx);
    const job = mailJob([greeting]);
    expect(await runJob(ctx, id, [job])).toBe("success");
    expect(await runJob(ctx, id, [job])).toBe("skipped");
    expect(posted).toEqual([
      {
        key: id,
        body: {
          from: ctx.config.MAIL_FROM,
          to: ["ana@contoh.co"],
          subject: "Halo Bcc: Ana",
          html: expect.stringContaining("Selamat datang"),
          text: expect.stringContaining("Ana"),
        },
      },
    ]);
    expect(await readJob(ctx, id)).toMatchObject({
      state: "success",
      result: { mail_id: "mail-1" },
    });
  });

  test("waits as long as the provider asks, and is repeated under the same key", async () => {
    const { ctx, sent, posted } = contextWithMail(
      refusal(429, "rate_limit_exceeded", { "retry-after": "60" }),
      accepted,
    );
    const { id } = await newMail(ctx);
    expect(await runJob(ctx, id, [mailJob([greeting])])).toBe("queued");
    await settleBackground();
    expect(sent).toMatchObject([{ queue: "mail", delaySeconds: 60 }]);
    await age(ctx, id);
    expect(await runJob(ctx, id, [mailJob([greeting])])).toBe("success");
    expect(posted.map(({ key }) => key)).toEqual([id, id]);
    expect(posted[0]?.body).toEqual(posted[1]?.body);
  });

  test("is not repeated once the provider may have forgotten its key", async () => {
    const { ctx, posted } = contextWithMail(refusal(503, "application_error"));
    const { id } = await newMail(ctx);
    expect(await runJob(ctx, id, [mailJob([greeting])])).toBe("unknown");
    const before = posted.length;
    for (let hour = 0; hour < 24; hour += 1) await age(ctx, id);
    await ctx.db.run(
      rows(
        sql`update jobs set created_at = created_at - interval '24 hours' where id = ${id}`,
        z.unknown(),
      ),
    );
    expect(await runJob(ctx, id, [mailJob([greeting])])).toBe("failed");
    expect(posted).toHaveLength(before);
    expect(await readJob(ctx, id)).toMatchObject({ error: "too old" });
  });

  test("that the provider refuses, or that nobody can write, fails for good", async () => {
    const { ctx } = contextWithMail(refusal(422, "validation_error"));
    const { id } = await newMail(ctx);
    expect(await runJob(ctx, id, [mailJob([greeting])])).toBe("failed");
    const unknown = await newMail(ctx);
    expect(await runJob(ctx, unknown.id, [mailJob([])])).toBe("failed");
    const [odd] = await enqueueMail(ctx, "a@contoh.co", unique(), { nama: 1 });
    expect(await runJob(ctx, odd?.id ?? "", [mailJob([greeting])])).toBe("failed");
    expect((await readJob(ctx, odd?.id ?? "")).error).toBe("data does not fit template greeting");
  });
});
