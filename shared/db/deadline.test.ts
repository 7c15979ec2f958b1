import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { standIns, testContext } from "../../workers/testing/api.ts";
import { createUser, unique } from "../../workers/testing/factories.ts";
import { freeze } from "../../workers/testing/frost.ts";
import { clientOf } from "./client.ts";
import { Database } from "./database.ts";
import { withDeadline } from "./deadline.ts";
import { rows } from "./statement.ts";

const away = { code: "unavailable", status: 503, message: expect.stringContaining("coba lagi") };

/** A way to Postgres that waits for it no longer than so. */
const patient = (patienceMs: number) => {
  const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = testContext().config;
  return new Database(clientOf({ databaseUrl, databaseHttpUrl }), unique("patient"), patienceMs);
};

describe("a Postgres that takes a statement and says nothing", () => {
  it("is unavailable after the deadline; what it was given is sent once, and may be done later", async () => {
    const { userId } = await createUser();
    const tries = unique("test_tries_");
    const { db } = testContext();
    await db.run(rows(sql.raw(`create sequence ${tries}`), z.unknown()));
    const frost = await freeze(sql`select from identity_users where id = ${userId} for update`);
    const passed = vi.fn();
    const hurried = patient(150);
    hurried.guard({ statement: rows(sql.raw(`select nextval('${tries}')`), z.unknown()), passed });
    const rename = sql`update identity_users set name = 'Baru' where id = ${userId}`;
    try {
      await expect(hurried.run(rows(rename, z.unknown()))).rejects.toMatchObject(away);
      await expect(hurried.beside().run(rows(rename, z.unknown()))).rejects.toMatchObject(away);
    } finally {
      await frost.thaw();
    }
    expect(passed).not.toHaveBeenCalled();
    const seen = sql`select name, (select last_value from ${sql.raw(tries)})::int as tries
      from identity_users where id = ${userId} for update`;
    const row = z.object({ name: z.string(), tries: z.number() });
    await vi.waitFor(async () => {
      expect(await db.run(rows(seen, row))).toEqual([{ name: "Baru", tries: 1 }]);
    });
    await db.run(rows(sql.raw(`drop sequence ${tries}`), z.unknown()));
  });

  it.each([
    ["breaks off in the middle of its answer", '{"fields": [], "ro'],
    ["answers with a page of somebody else's", "<html>Bad gateway</html>"],
  ])("is unavailable where it %s", async (_, body) => {
    const spy = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response(body));
    await expect(patient(5_000).run(rows(sql`select 1`, z.unknown()))).rejects.toMatchObject(away);
    expect(spy).toHaveBeenCalledTimes(1);
    expect(String(spy.mock.calls[0]?.[0])).toContain(new URL(standIns().databaseHttpUrl).host);
    spy.mockRestore();
  });
});

describe("a deadline", () => {
  it("leaves no clock running behind work that has ended, well or badly", async () => {
    const begun = vi.spyOn(globalThis, "setTimeout");
    const cleared = vi.spyOn(globalThis, "clearTimeout");
    await withDeadline(60_000, async () => 1);
    await withDeadline(60_000, async () => Promise.reject(new Error("no"))).catch(() => undefined);
    expect(cleared.mock.calls.map(([clock]) => clock)).toEqual(
      begun.mock.results.map(({ value }) => value),
    );
    expect(begun).toHaveBeenCalledTimes(2);
    vi.restoreAllMocks();
  });

  it("aborts what its work waits for", async () => {
    let heard: unknown = null;
    const ended = withDeadline(5, async (signal) => {
      signal.addEventListener("abort", () => {
        heard = signal.reason;
      });
      return await new Promise<never>(() => undefined);
    });
    await expect(ended).rejects.toThrow("silent for 5 ms");
    expect(heard).toMatchObject({ name: "Unanswered" });
  });
});
