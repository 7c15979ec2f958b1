import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../shared/db/statement.ts";
import { type JobHandler, runJob } from "../../shared/jobs/jobs.ts";
import { testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { endOverdueJobs, panelCommand } from "./commands.ts";
import { linkOf } from "./link/link-client.ts";
import { createSite, deleteSite, getSite } from "./sites.ts";
import { connected, enrolledServer, type TestServer } from "./testing/agents.ts";
import { execute } from "./testing/operators.ts";
import {
  eventually,
  failure,
  getOf,
  goodAnswer,
  newSiteBody,
  quietContext,
  ran,
  scripted,
  uuidOf,
} from "./testing/scripted.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

async function newSite(server: TestServer) {
  const { domain, root_path: rootPath } = newSiteBody();
  return await createSite(quietContext(operator), {
    ...{ server: server.id, domain, aliases: [], rootPath, documentRoot: "", runtime: "php" },
  });
}

const run = async (id: string, handler: JobHandler = panelCommand({ stayMs: 2_000 })) =>
  await runJob(quietContext(operator), await uuidOf(id), [handler]);
const statusOf = async (id: string) =>
  (await getOf(operator, `/v1/sites/${id}`)).body.status ?? "gone";
const jobOf = async (id: string) => (await getOf(operator, `/v1/jobs/${id}`)).body;

/** As after a Worker that died: the lease has run out, and the job is due. */
const leaseLost = async (id: string) =>
  await execute(sql`update jobs set run_at = now(), lease_until = case when state = 'running'
    then now() - interval '1 second' end where id = ${await uuidOf(id)}`);

/** A handler whose Worker dies as soon as the call of that name is made (before it) or answered (after it). */
function dyingAt(name: "submit" | "wait" | "forget", when: "before" | "after"): JobHandler {
  const handler = panelCommand({ stayMs: 2_000 });
  return {
    ...handler,
    run: async (ctx, job) => {
      const died = Promise.withResolvers<never>();
      const wrapped = new Proxy(ctx.serverLinks, {
        get: (target, key) => {
          if (key !== "getByName") return Reflect.get(target, key);
          return (server: string) => {
            const object = target.getByName(server);
            return new Proxy(object, {
              get: (stub, method) => {
                const real = Reflect.get(stub, method);
                if (method !== name) return real;
                return async (...args: unknown[]) => {
                  if (when === "after") await Reflect.apply(real as () => unknown, stub, args);
                  died.reject(new Error("the Worker is dead"));
                  return await died.promise;
                };
              },
            });
          };
        },
      });
      return await handler.run({ ...ctx, serverLinks: wrapped }, job);
    },
  };
}

describe("a Worker that dies", () => {
  it.each([
    ["submit", "before"],
    ["submit", "after"],
    ["wait", "after"],
    ["forget", "before"],
    ["forget", "after"],
  ] as const)("at %s (%s it) costs nothing: the site is made once", async (name, when) => {
    const server = await enrolledServer(operator);
    const agent = await scripted(server);
    const { site, job } = await newSite(server);
    await run(job.id, dyingAt(name, when));
    await leaseLost(job.id);
    expect((await ran(job.id)).status).toBe("success");
    expect(await statusOf(site.id)).toBe("active");
    expect(agent.given("site.provision")).toHaveLength(1);
    const view = await eventually(
      async () => {
        await leaseLost(job.id);
        await run(job.id);
        return await linkOf(testContext(), server.id).wait(await uuidOf(job.id), 0);
      },
      (seen) => seen === null,
      "that the link forgets",
    );
    expect(view).toBeNull();
    agent.stop();
  });

  it("before it has recorded leaves the job to the minute cron's wake, which finishes it", async () => {
    const server = await enrolledServer(operator);
    const agent = await scripted(server);
    const { site, job } = await newSite(server);
    const { ctx } = { ctx: quietContext(operator) };
    // Claimed, and never heard of again.
    await execute(sql`select jobs_claim(${await uuidOf(job.id)}, 120)::text`);
    expect(await runJob(ctx, await uuidOf(job.id), [panelCommand()])).toBe("skipped");
    await leaseLost(job.id);
    expect((await ran(job.id)).status).toBe("success");
    expect(await statusOf(site.id)).toBe("active");
    agent.stop();
  });
});

describe("an end", () => {
  const record = async (id: string, end: object) =>
    await testContext().db.run(
      call(
        "panel_record_command",
        { job_id: await uuidOf(id), ...end },
        z.object({ state: z.string() }),
      ),
    );

  it("is recorded once: what is told again, or told otherwise, changes nothing", async () => {
    const { site, job } = await newSite(await enrolledServer(operator));
    const ends = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        record(
          job.id,
          i % 2 ? { ok: true, value: {} } : { ok: false, error: "no", error_code: "invalid" },
        ),
      ),
    );
    const [first] = ends;
    expect(new Set(ends.map(({ state }) => state)).size).toBe(1);
    expect(await jobOf(job.id)).toMatchObject({ status: first?.state });
    expect(await statusOf(site.id)).toBe(first?.state === "success" ? "active" : "failed");
  });

  it("that comes after the site is being taken down brings nothing back", async () => {
    const server = await enrolledServer(operator);
    const { site, job } = await newSite(server);
    await execute(sql`update panel_jobs set submitted_at = now() where id = ${job.id}`);
    const gone = await deleteSite(quietContext(operator), {
      id: site.id,
      server: null,
      removeFiles: true,
    });
    for (const [id, end] of [
      [job.id, { ok: true, value: {} }],
      [job.id, { ok: true, value: {} }],
    ] as const) {
      await record(id, end);
      expect(await statusOf(site.id)).toBe("deleting");
    }
    await record(gone.id, { ok: false, error_code: "tool_failed", error: "disk" });
    expect(await statusOf(site.id)).toBe("failed");
    await record(gone.id, { ok: true, value: {} });
    expect(await statusOf(site.id)).toBe("failed");
  });

  it("in reverse order leaves the same site behind", async () => {
    const { site, job } = await newSite(await enrolledServer(operator));
    await execute(sql`update panel_jobs set submitted_at = now() where id = ${job.id}`);
    const gone = await deleteSite(quietContext(operator), {
      id: site.id,
      server: null,
      removeFiles: true,
    });
    await record(gone.id, { ok: true, value: { removedFiles: true } });
    await record(job.id, { ok: true, value: {} });
    expect((await getOf(operator, `/v1/sites/${site.id}`)).status).toBe(404);
    expect((await jobOf(job.id)).status).toBe("success");
  });

  it("and the cron's end of an overdue job race to one outcome", async () => {
    const { site, job } = await newSite(await enrolledServer(operator));
    await execute(
      sql`update panel_jobs set deadline_at = now() - interval '1 hour' where id = ${job.id}`,
    );
    const [{ state }] = await Promise.all([
      record(job.id, { ok: true, value: {} }),
      endOverdueJobs(testContext()),
      endOverdueJobs(testContext()),
    ]);
    expect((await jobOf(job.id)).status).toBe(state);
    expect(await statusOf(site.id)).toBe(state === "success" ? "active" : "failed");
  });
});

describe("deleting while the site is being made", () => {
  it("of a site that no server was given never makes it: its making is cancelled", async () => {
    const server = await enrolledServer(operator);
    const { site, job } = await newSite(server);
    const ctx = quietContext(operator);
    const gone = await deleteSite(ctx, { id: site.id, server: null, removeFiles: false });
    expect(await jobOf(job.id)).toMatchObject({ status: "failed", error: "cancelled" });
    expect(await statusOf(site.id)).toBe("deleting");
    const agent = await scripted(server);
    expect((await ran(gone.id)).status).toBe("success");
    expect(agent.agent.commands.map(({ type }) => type)).toEqual(["site.deprovision"]);
    expect(await statusOf(site.id)).toBe("gone");
    agent.stop();
  });

  it("lets a command go that is handed to its server in the same moment: what is cancelled is never done", async () => {
    const server = await enrolledServer(operator);
    const { site, job } = await newSite(server);
    const [uuid, { db }] = [await uuidOf(job.id), testContext()];
    const handing = execute(sql`select panel_command_begin(${uuid}::uuid)::text, pg_sleep(0.5)`);
    const isFree = sql`select from panel_jobs where job_id = ${uuid} for update skip locked`;
    const free = async () => (await db.run(rows(isFree, z.unknown()))).length;
    await eventually(free, (count) => count === 0, "that it is being handed over");
    await deleteSite(quietContext(operator), { id: site.id, server: null, removeFiles: true });
    await handing;
    expect(await jobOf(job.id)).toMatchObject({ status: "queued", error: "" });
  });

  it("ends with no site, whoever is first, in 20 races", { timeout: 30_000 }, async () => {
    const server = await enrolledServer(operator);
    const agent = await scripted(server, (command) =>
      Math.random() < 0.3 && command.type === "site.provision"
        ? failure("tool_failed")
        : goodAnswer(command),
    );
    const seen = new Map<string, string[]>();
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const { site, job } = await newSite(server);
        const watch = (async () => {
          const states = [site.status as string];
          for (;;) {
            const now = await statusOf(site.id);
            if (states.at(-1) !== now) states.push(now);
            if (now === "gone") return states;
            await new Promise((resolve) => setTimeout(resolve, 30));
          }
        })();
        const remove = async () => {
          await new Promise((resolve) => setTimeout(resolve, i * 8));
          return await deleteSite(quietContext(operator), {
            id: site.id,
            server: null,
            removeFiles: true,
          });
        };
        const [, gone] = await Promise.all([run(job.id), remove()]);
        expect((await ran(gone.id)).status).toBe("success");
        seen.set(site.id, await watch);
      }),
    );
    const forward = /^provisioning( active| failed)?( deleting)? gone$/;
    for (const states of seen.values()) expect(states.join(" ")).toMatch(forward);
    agent.stop();
  });
});

describe("a command that is delivered twice", () => {
  it("because the agent lost its connection has one end, and later ends change nothing", async () => {
    const server = await enrolledServer(operator);
    const { site, job } = await newSite(server);
    const id = await uuidOf(job.id);
    const first = await connected(server);
    await run(job.id, panelCommand({ stayMs: 0 }));
    await first.until(({ commands }) => commands.length === 1, "the command");
    first.close();
    const second = await connected(server);
    await second.until(({ commands }) => commands.length === 1, "the command again");
    expect(second.commands[0]?.id).toBe(id);
    second.result(id, goodAnswer(second.commands[0] ?? { type: "", input: null }));
    expect((await ran(job.id)).status).toBe("success");
    for (let i = 0; i < 10; i += 1) second.result(id, failure("tool_failed"));
    await leaseLost(job.id);
    await run(job.id);
    expect((await jobOf(job.id)).status).toBe("success");
    expect((await getSite(testContext(), site.id)).status).toBe("active");
    second.close();
  });
});
