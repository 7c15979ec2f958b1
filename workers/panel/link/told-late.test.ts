import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Ctx } from "../../../shared/context.ts";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { cancelPanelJob } from "../await-job.ts";
import { panelCommand } from "../commands.ts";
import { getJob } from "../jobs.ts";
import { createSite, getSite } from "../sites.ts";
import {
  closeAgents,
  connected,
  enrolledServer,
  type TestAgent,
  type TestServer,
} from "../testing/agents.ts";
import { execute } from "../testing/operators.ts";
import {
  eventually,
  goodAnswer,
  newSiteBody,
  quietContext,
  ran,
  uuidOf,
} from "../testing/scripted.ts";
import { linkOf } from "./link-client.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});
afterEach(closeAgents);

async function newSite(server: TestServer) {
  const { domain, root_path: rootPath } = newSiteBody();
  return await createSite(quietContext(operator), {
    ...{ server: server.id, domain, aliases: [], rootPath, documentRoot: "", runtime: "php" },
  });
}

/** An attempt that has read its command in Postgres and stands still before it calls the link. */
function standing(ctx: Ctx) {
  const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const serverLinks = new Proxy(ctx.serverLinks, {
    get: (target, key) => {
      if (key !== "getByName") return Reflect.get(target, key);
      return (server: string) =>
        new Proxy(target.getByName(server), {
          get: (stub, method) => {
            const real = Reflect.get(stub, method);
            if (method !== "submit") return real;
            return async (...args: unknown[]) => {
              reached.resolve();
              await goOn.promise;
              return await Reflect.apply(real as () => unknown, stub, args);
            };
          },
        });
    },
  });
  return { ctx: { ...ctx, serverLinks }, reached: reached.promise, goOn: () => goOn.resolve() };
}

const due = async (uuid: string) =>
  await execute(sql`update jobs set run_at = now(), lease_until = case when state = 'running'
    then now() - interval '1 second' end where id = ${uuid}`);

/** What the agent was given, once it has surely been given all. */
async function givenTo(agent: TestAgent, server: TestServer) {
  const last = { id: crypto.randomUUID(), seq: 1e9, subject: "db", type: "db.create" as const };
  const deadlineAt = new Date(Date.now() + 60_000);
  await linkOf(testContext(), server.id).submit({ ...last, input: { database: "x" }, deadlineAt });
  await agent.until(({ commands }) => commands.some(({ id }) => id === last.id), "the last");
  return agent.commands.filter(({ id }) => id !== last.id);
}

describe("an attempt that stood still between reading its command and giving it to the link", () => {
  it("gives the agent nothing a second time when another attempt has brought it to its end", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const { site, job } = await newSite(server);
    const uuid = await uuidOf(job.id);
    const late = standing(quietContext(operator));
    const attempt = runJob(late.ctx, uuid, [panelCommand({ stayMs: 1_000 })]);
    await late.reached;
    await due(uuid);
    const other = ran(job.id);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    agent.result(uuid, goodAnswer(agent.commands[0] ?? { type: "", input: null }));
    expect((await other).status).toBe("success");
    expect(await linkOf(testContext(), server.id).wait(uuid, 0)).toBeNull();
    late.goOn();
    expect(await attempt).toBe("lease_lost");
    expect(await givenTo(agent, server)).toHaveLength(1);
    expect((await getSite(testContext(), site.id)).status).toBe("active");
  });

  it("gives the agent nothing that was cancelled meanwhile", async () => {
    const server = await enrolledServer(operator);
    const { job } = await newSite(server);
    const uuid = await uuidOf(job.id);
    await runJob(quietContext(operator), uuid, [panelCommand({ stayMs: 0 })]);
    await due(uuid);
    const late = standing(quietContext(operator));
    const attempt = runJob(late.ctx, uuid, [panelCommand({ stayMs: 0 })]);
    await late.reached;
    expect(await cancelPanelJob(quietContext(operator), job.id)).toMatchObject({
      status: "failed",
    });
    late.goOn();
    await attempt;
    const agent = await connected(server);
    expect(await givenTo(agent, server)).toEqual([]);
    expect(await getJob(testContext(), job.id)).toMatchObject({ error: "cancelled" });
  });
});

describe("what an agent tells of a command under way", () => {
  it("is that it has it, also where the link gave it while nobody was looking", async () => {
    const server = await enrolledServer(operator);
    const { job } = await newSite(server);
    const uuid = await uuidOf(job.id);
    await runJob(quietContext(operator), uuid, [panelCommand({ stayMs: 0 })]);
    expect(await getJob(testContext(), job.id)).toMatchObject({ status: "queued" });
    const agent = await connected(server);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    await eventually(
      () => getJob(testContext(), job.id),
      ({ status }) => status === "running",
      "that it is running",
    );
  });

  it("is seen within a second or so, also where nothing follows it, and without what cannot be kept", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const { job } = await newSite(server);
    const uuid = await uuidOf(job.id);
    await runJob(quietContext(operator), uuid, [panelCommand({ stayMs: 0 })]);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    for (const [percent, text] of [
      [10, "satu"],
      [20, "dua\0\ud800"],
      [30, "tiga"],
    ] as const) {
      agent.send({ v: 1, t: "progress", id: uuid, percent, lines: [text] });
    }
    const seen = await eventually(
      () => getJob(testContext(), job.id),
      ({ lines }) => lines.length === 3,
      "its three lines",
    );
    expect(seen).toMatchObject({ status: "running", progress: 30 });
    expect(seen.lines.map(({ text }) => text)).toEqual(["satu", "dua\ufffd", "tiga"]);
  });
});
