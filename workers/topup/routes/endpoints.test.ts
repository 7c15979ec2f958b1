import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser } from "../../testing/factories.ts";
import {
  addEndpoint,
  delivered,
  deliveriesOf,
  execute,
  HOOK,
  log,
  order,
  ENDPOINTS as PATH,
  receiver,
  verify,
} from "../testing/deliveries.ts";

describe("an endpoint", () => {
  it("is kept without its secret in clear, and shown without it", async () => {
    const user = await createUser();
    const made = await addEndpoint(user);
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const [row] = await testContext().db.run(
      rows(
        sql`select to_jsonb(w)::text as text from topup_webhook_endpoints w where id = ${made.id}`,
        z.object({ text: z.string() }),
      ),
    );
    expect(row?.text).not.toContain(made.secret.slice(6));
    const listed = await api(PATH, { token: user.token });
    expect(listed.body.data).toEqual([
      {
        id: made.id,
        url: HOOK,
        events: [
          "order.processing",
          "order.success",
          "order.partial",
          "order.failed",
          "order.refunded",
        ],
        enabled: true,
        disabledReason: null,
        failingSince: null,
        createdAt: expect.any(String),
      },
    ]);
  });

  it("gets a new secret beside which the old one signs for a day", async () => {
    const { reseller, endpoint, deliveries } = await delivered();
    const path = `${PATH}/${endpoint.id}/rotate`;
    const rotated = await api(path, { method: "POST", token: reseller.user.token });
    const { secret } = rotated.body.data;
    expect(secret).not.toBe(endpoint.secret);
    const [first, second] = deliveries;
    const { got, handler } = receiver(200);
    await runJob(testContext(), first?.job ?? "", [handler]);
    for (const one of [secret, endpoint.secret]) {
      expect(() => verify(one, got[0])).not.toThrow();
    }
    await execute(
      sql`update topup_webhook_endpoints set old_secret_until = now() where id = ${endpoint.id}`,
    );
    await runJob(testContext(), second?.job ?? "", [handler]);
    expect(() => verify(secret, got[1])).not.toThrow();
    expect(() => verify(endpoint.secret, got[1])).toThrow("No matching signature");
  });

  it("that accepted nothing for three days is switched off with a mail, and gets no more until its owner wants it", async () => {
    const { reseller, endpoint, deliveries } = await delivered();
    const { handler } = receiver(500);
    const [first, second] = deliveries;
    await runJob(testContext(), first?.job ?? "", [handler]);
    const shown = async () => (await api(PATH, { token: reseller.user.token })).body.data[0];
    expect(await shown()).toMatchObject({ enabled: true, failingSince: expect.any(String) });
    await execute(
      sql`update topup_webhook_endpoints set failing_since = now() - interval '73 hours' where id = ${endpoint.id}`,
    );
    await execute(sql`update jobs set run_at = now() where id = ${first?.job ?? null}`);
    await runJob(testContext(), first?.job ?? "", [handler]);
    expect(await shown()).toMatchObject({ enabled: false, disabledReason: "failing" });
    const mails = await testContext().db.run(
      rows(
        sql`select payload->>'to' as to from jobs where dedupe_key like ${`mail/topup-endpoint/${endpoint.id}/%`}`,
        z.object({ to: z.string() }),
      ),
    );
    expect(mails).toEqual([{ to: reseller.user.email }]);
    const { got, handler: fine } = receiver(200);
    expect(await runJob(testContext(), second?.job ?? "", [fine])).toBe("success");
    expect(got).toEqual([]);
    await order(reseller, "_succeed");
    expect((await deliveriesOf(endpoint.id)).map(({ state }) => state)).toEqual([
      "pending",
      "dropped",
    ]);
    const json = { enabled: true };
    const on = await api(`${PATH}/${endpoint.id}`, {
      method: "PUT",
      token: reseller.user.token,
      json,
    });
    expect(on.body.data).toMatchObject({ enabled: true, failingSince: null, disabledReason: null });
    await order(reseller, "_succeed");
    expect(await deliveriesOf(endpoint.id)).toHaveLength(4);
  });

  it("that says it is gone (410) is switched off at once, and one success forgets the failures", async () => {
    const { reseller, endpoint, deliveries } = await delivered();
    const { handler } = receiver(500, 200, 410);
    const [first, second] = deliveries;
    const shown = async () => (await api(PATH, { token: reseller.user.token })).body.data[0];
    await runJob(testContext(), first?.job ?? "", [handler]);
    await execute(sql`update jobs set run_at = now() where id = ${first?.job ?? null}`);
    await runJob(testContext(), first?.job ?? "", [handler]);
    expect(await shown()).toMatchObject({ enabled: true, failingSince: null });
    await runJob(testContext(), second?.job ?? "", [handler]);
    expect(await shown()).toMatchObject({ id: endpoint.id, enabled: false });
  });

  it("of somebody else is missing to every verb, and the attempt is kept", async () => {
    const { id } = await addEndpoint(await createUser());
    const { token, userId } = await createUser();
    for (const [method, path, json] of [
      ["PUT", `${PATH}/${id}`, { enabled: false }],
      ["DELETE", `${PATH}/${id}`, undefined],
      ["POST", `${PATH}/${id}/rotate`, undefined],
      ["GET", `${PATH}/${id}/deliveries`, undefined],
      ["GET", `${PATH}/x/deliveries`, undefined],
      ["POST", `/api/reseller/deliveries/${crypto.randomUUID()}/redeliver`, undefined],
    ] as const) {
      const call = { method, token, ...(json ? { json } : {}) };
      expect(await api(path, call), path).toMatchObject({
        status: 404,
        body: failureBody("topup", 404),
      });
    }
    await expect
      .poll(async () => await testContext().db.run(auditOf({ kind: "webhook_endpoint", id })))
      .toContainEqual(expect.objectContaining({ outcome: "refused", actorId: userId }));
  });

  it("is removed for good, is one of ten at most, and its log has pages", async () => {
    const user = await createUser();
    const made = await addEndpoint(user);
    const path = `${PATH}/${made.id}`;
    expect((await api(path, { method: "DELETE", token: user.token })).status).toBe(200);
    expect((await api(path, { method: "DELETE", token: user.token })).status).toBe(404);
    const json = { url: HOOK };
    const all = await Promise.all(
      Array.from({ length: 12 }, () => api(PATH, { method: "POST", token: user.token, json })),
    );
    expect(all.filter(({ status }) => status === 200)).toHaveLength(10);

    const { reseller, endpoint } = await delivered();
    const first = await log(reseller.user, endpoint.id, "?limit=1");
    const second = await log(reseller.user, endpoint.id, `?limit=1&cursor=${first.next}`);
    expect([first, second].map((page) => page.deliveries[0].type)).toEqual([
      "order.success",
      "order.processing",
    ]);
    expect(second.next).toBeNull();
  });

  it.each([
    ["no address", "toko"],
    ["another scheme", "ftp://toko.example/"],
    ["a password", "https://a:b@toko.example/"],
  ])("with %s is refused with 400", async (_, url) => {
    const { token } = await createUser();
    const answer = await api(PATH, { method: "POST", token, json: { url } });
    expect(answer).toMatchObject({ status: 400, body: failureBody("topup", 400) });
  });
});
