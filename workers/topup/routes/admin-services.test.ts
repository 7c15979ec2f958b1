import { sql } from "drizzle-orm";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import { rows } from "../../../shared/db/statement.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { prepaidRow } from "../../../shared/providers/testing/vip-reseller.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { placePrepaid } from "../orders/place.ts";
import { bench } from "../testing/bench.ts";
import { runOrderJob, theOrderOf } from "../testing/outcomes.ts";
import { createReseller, panel, phone } from "../testing/reseller.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { newSupplier, serviceOf, syncWith, withSupplier } from "../testing/supplier.ts";

const PATH = "/api/admin/topup/services";
const reason = "Stok penyedia kosong";
let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

const put = (json: unknown, token = admin.token) => api(PATH, { method: "PUT", token, json });
const codeOf = (code: string) => ({ family: "prepaid", code });

/** A synced service of its own: what we have of it, and a sync that lists it again under another name. */
async function listed() {
  const code = unique("S");
  const supplier = newSupplier({ prepaid: [prepaidRow({ code })] });
  const ctx = withSupplier(supplier);
  await syncWith(ctx, "sync-services", true);
  const again = async () => {
    supplier.lists.prepaid = [prepaidRow({ code, name: unique("Nama baru ") })];
    await syncWith(ctx, "sync-services", true);
  };
  return { code, again, read: () => serviceOf(ctx, "prepaid", code) };
}

/** Whether anybody is shown it, and what becomes of orders. */
async function market(code: string) {
  const { key, user } = await createReseller();
  const [{ number } = { number: 0 }] = await testContext().db.run(
    rows(
      sql`insert into topup_panel_services as p (service_id) select id from topup_services
          where family = 'prepaid' and code = ${code}
        on conflict on constraint topup_panel_services_service_key do update set service_id = excluded.service_id
        returning p.number::float8 as number`,
      z.object({ number: z.number() }),
    ),
  );
  const shop = await api("/api/services?family=prepaid&limit=100", { token: user.token });
  const list = await panel(key, { action: "services" });
  const app = await api("/api/orders/prepaid", {
    method: "POST",
    token: user.token,
    json: { service: code, phoneNumber: phone() },
  });
  const added = await panel(key, { action: "add", service: number, link: phone() });
  return {
    shown: shop.body.data.some((one: { code: string }) => one.code === code),
    listed: list.body.some((one: { service: number }) => one.service === number),
    sold: app.status !== 404,
    refusal: added.body.error,
  };
}

it("a service that is switched off is neither listed nor sold, in the panel's dialect neither, until it is switched back", async () => {
  const { code, again, read } = await listed();
  const on = { shown: true, listed: true, sold: true };
  expect(await market(code)).toMatchObject(on);
  const { id } = await read();
  const off = await put({ services: [{ id }], active: false, reason });
  expect(off).toMatchObject({ status: 200, body: { success: true, data: { changed: 1 } } });
  expect(off.body.data.services).toEqual([
    expect.objectContaining({ id, family: "prepaid", code, status: "available", active: false }),
  ]);
  await again();
  expect(await read()).toMatchObject({ active: false, status: "available" });
  const gone = { shown: false, listed: false, sold: false, refusal: "Incorrect service ID" };
  expect(await market(code)).toEqual(gone);
  const found = await api(`${PATH}?active=false&code=${code}`, { token: admin.token });
  expect(found.body.data).toEqual({ services: [expect.objectContaining({ id })], next: null });

  const back = await put({ services: [codeOf(code)], active: true, reason });
  expect(back.body.data).toMatchObject({ changed: 1, services: [{ id, active: true }] });
  await again();
  expect(await market(code)).toMatchObject(on);
  const trace = await testContext().db.run(auditOf({ kind: "topup_service", id }));
  expect(
    trace.map(({ action, before, after, actorId }) => [action, before, after, actorId]),
  ).toEqual([
    ["topup.service.on", { active: false }, { active: true }, admin.userId],
    ["topup.service.off", { active: true }, { active: false }, admin.userId],
  ]);
});

it("several are switched at once, all or none, and a repeat changes nothing", async () => {
  const [one, two] = [await listed(), await listed()];
  const services = [{ id: (await one.read()).id }, codeOf(two.code)];
  const missing = codeOf(unique("TIDAK-ADA"));
  const refused = await put({ services: [...services, missing], active: false, reason });
  expect(refused).toMatchObject({ status: 404, body: failureBody("topup", 404) });
  expect(JSON.stringify(refused.body)).toContain(`Service not found: prepaid ${missing.code}`);
  expect([(await one.read()).active, (await two.read()).active]).toEqual([true, true]);
  const together = [1, 2, 3].map(() => put({ services, active: false, reason }));
  const changed = (await Promise.all(together)).map(({ body }) => body.data.changed);
  expect(changed.sort()).toEqual([0, 0, 2]);
  expect([(await one.read()).active, (await two.read()).active]).toEqual([false, false]);
  for (const wrong of [
    { services: [], active: false, reason },
    { services: [{ id: "x" }], active: false, reason },
    { services: [{ code: two.code }], active: false, reason },
    { services, active: "false", reason },
    { services, active: false },
  ]) {
    expect(await put(wrong)).toMatchObject({ status: 400, body: failureBody("topup", 400) });
  }
  const { token } = await createUser(["seller"]);
  expect((await put({ services, active: true, reason }, token)).status).toBe(403);
});

it("an order that was paid before is bought all the same", async () => {
  await stockShelves();
  const { credit } = SERVICES;
  const user = await customer();
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const nothing = { kind: "unavailable", retryable: true, outcome: "not_done" } as const;
  const pace = async () => {
    throw new ProviderError("vip-reseller", { ...nothing, code: "busy" }, "no turn");
  };
  const { ctx, settle } = bench({ actor: user, pace });
  await placePrepaid(ctx, { service: credit.code, phoneNumber });
  await settle();
  const order = await theOrderOf(phoneNumber);
  expect(order.state).toBe("queued");
  const services = [codeOf(credit.code)];
  expect((await put({ services, active: false, reason })).body.data.changed).toBe(1);
  await runOrderJob(order, { timeoutMs: 3_000 });
  expect(await theOrderOf(phoneNumber)).toMatchObject({ state: "processing" });
  await put({ services, active: true, reason });
});
