import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { runJob } from "../../shared/jobs/jobs.ts";
import { api, testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { endOverdueJobs, panelCommand } from "./commands.ts";
import { commandJob } from "./jobs.ts";
import { linkOf } from "./link/link-client.ts";
import { createSite, deleteSite } from "./sites.ts";
import { connected, enrolledServer, type TestServer } from "./testing/agents.ts";
import { execute, trailOf } from "./testing/operators.ts";
import {
  eventually,
  getOf,
  goodAnswer,
  newSiteBody,
  quietContext,
  ran,
  scripted,
  success,
  uuidOf,
} from "./testing/scripted.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

/** A site made by the verb: no wake-up leaves, the test runs the job. */
async function newSite(server: TestServer) {
  const { domain, root_path: rootPath } = newSiteBody();
  return await createSite(quietContext(operator), {
    ...{ server: server.id, domain, aliases: [], rootPath, documentRoot: "", runtime: "php" },
  });
}

const run = async (id: string, stayMs = 0) =>
  await runJob(quietContext(operator), await uuidOf(id), [panelCommand({ stayMs })]);
const jobOf = async (id: string) => (await getOf(operator, `/v1/jobs/${id}`)).body;
const statusOf = async (id: string) => (await jobOf(id)).status;
const cancel = async (id: string) =>
  await api(`/v1/jobs/${id}/cancel`, { method: "POST", token: operator.token });
const due = async (id: string) =>
  await execute(sql`update jobs set run_at = now() where id = ${await uuidOf(id)}`);

describe("a job's state", () => {
  it("is queued until the agent has the command, running while it works, and then its end", async () => {
    const server = await enrolledServer(operator);
    const { job } = await newSite(server);
    expect(await statusOf(job.id)).toBe("queued");
    await run(job.id);
    expect(await jobOf(job.id)).toMatchObject({ status: "queued", error: "" });
    const agent = await connected(server);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    await due(job.id);
    await run(job.id);
    expect(await jobOf(job.id)).toMatchObject({
      status: "running",
      started_at: expect.any(String),
    });
    const id = await uuidOf(job.id);
    agent.send({ v: 1, t: "progress", id, percent: 40, lines: ["user made", "vhost written"] });
    const working = await eventually(
      () => jobOf(job.id),
      ({ progress }) => progress === 40,
      "the progress",
    );
    expect(working).toMatchObject({
      status: "running",
      lines: [{ text: "user made", at: expect.any(String) }, { text: "vhost written" }],
    });
    const [command] = agent.commands;
    agent.result(id, goodAnswer(command ?? { type: "", input: null }));
    const done = await eventually(
      () => jobOf(job.id),
      ({ status }) => status === "success",
      "the success, hurried by the result",
    );
    expect(done).toMatchObject({ progress: 100, error: "", finished_at: expect.any(String) });
    expect(new Date(done.started_at) <= new Date(done.finished_at)).toBe(true);
    agent.close();
  });

  it("keeps the last 200 lines, never goes back, and is not moved by what is told too late", async () => {
    const { job } = await newSite(await enrolledServer(operator));
    const id = await uuidOf(job.id);
    const told = async (percent: number, lines: string[]) =>
      await execute(
        sql`select panel_job_progress(${id}, ${percent}::float8, ${JSON.stringify(lines)}::jsonb)::text`,
      );
    await told(
      150,
      Array.from({ length: 150 }, (_, i) => `a${i}`),
    );
    await told(
      10,
      Array.from({ length: 100 }, (_, i) => `b${i}`),
    );
    const { progress, lines } = await jobOf(job.id);
    expect([progress, lines.length, lines[0].text, lines[199].text]).toEqual([
      99,
      200,
      "a50",
      "b99",
    ]);
    await execute(
      sql`select panel_record_command(${JSON.stringify({ job_id: id, ok: true, value: {} })}::jsonb)`,
    );
    const ended = await jobOf(job.id);
    await told(50, ["late"]);
    expect(await jobOf(job.id)).toEqual(ended);
  });

  it("is unknown to nobody: 404 in the contract's words", async () => {
    for (const id of ["job_1_000000000000", "x", "%00", "'", "..%2f"]) {
      const answer = await getOf(operator, `/v1/jobs/${id}`);
      expect([answer.status, id]).toEqual([404, id]);
    }
    expect((await getOf(operator, "/v1/jobs/x")).body.error).toBe("job not found");
  });
});

describe("commands of one subject", () => {
  it("go one after another in the order they were made, however their jobs are woken", async () => {
    const server = await enrolledServer(operator);
    const { site, job: first } = await newSite(server);
    const ctx = quietContext(operator);
    await run(first.id);
    const second = await deleteSite(ctx, { id: site.id, server: null, removeFiles: false });
    await run(second.id);
    expect(await statusOf(second.id)).toBe("queued");
    expect((await linkOf(ctx, server.id).status()).waiting).toBe(1);
    const agent = await scripted(server);
    expect((await ran(first.id)).status).toBe("success");
    expect((await ran(second.id)).status).toBe("success");
    expect(agent.agent.commands.map(({ type }) => type)).toEqual([
      "site.provision",
      "site.deprovision",
    ]);
    expect((await getOf(operator, `/v1/sites/${site.id}`)).status).toBe(404);
    agent.stop();
  });

  it("have one order when thirty are made at once", async () => {
    const server = await enrolledServer(operator);
    const agent = await scripted(server);
    const made = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const ctx = quietContext(operator);
        const job = await ctx.db.run(
          await commandJob(ctx, {
            ...{ server: server.id, subject: "db", type: "create_database", command: "db.create" },
            ...{ input: { database: `d${i}` }, payload: { i } },
          }),
        );
        return job.id;
      }),
    );
    const jobs = await testContext().db.run(
      rows(
        sql`select id, input->>'database' as name from panel_jobs where server_id = ${server.id} order by seq`,
        z.object({ id: z.string(), name: z.string() }),
      ),
    );
    await Promise.all(made.map((id) => run(id, 3_000)));
    for (const { id } of jobs) expect((await ran(id)).status).toBe("success");
    const order = jobs.map(({ name }) => name);
    const given = agent
      .given("db.create")
      .map(({ input }) => (input as { database: string }).database);
    expect(given).toEqual(order);
    agent.stop();
  });
});

describe("POST /v1/jobs/{id}/cancel", () => {
  it("ends a job that no server was given, whose site has then failed and can go", async () => {
    const server = await enrolledServer(operator);
    const { site, job } = await newSite(server);
    const answer = await cancel(job.id);
    expect(answer).toMatchObject({ status: 200, body: { status: "failed", error: "cancelled" } });
    expect((await getOf(operator, `/v1/sites/${site.id}`)).body.status).toBe("failed");
    expect(await cancel(job.id)).toMatchObject({
      ...{ status: 409, body: { error: "job is already finished" } },
    });
    const trail = await trailOf(operator, {
      target_id: job.id,
      actor_user: `usr_${operator.userId}`,
    });
    expect(trail.map(({ action }) => action)).toContain("job.cancel");
    const agent = await scripted(server);
    expect(await run(job.id)).toBe("skipped");
    expect(agent.agent.commands).toEqual([]);
    agent.stop();
  });

  it("takes back what lies at the link of a server that is away", async () => {
    const server = await enrolledServer(operator);
    const { job } = await newSite(server);
    await run(job.id);
    expect(await cancel(job.id)).toMatchObject({ status: 200, body: { status: "failed" } });
    const agent = await scripted(server);
    await due(job.id);
    await run(job.id);
    expect(agent.agent.commands).toEqual([]);
    expect(await jobOf(job.id)).toMatchObject({ status: "failed", error: "cancelled" });
    agent.stop();
  });

  it("is refused once the agent has it, also before we have heard that it has", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const { job } = await newSite(server);
    await run(job.id);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    for (const started of [true, false]) {
      if (!started)
        await execute(sql`update panel_jobs set started_at = null where id = ${job.id}`);
      expect(await cancel(job.id)).toMatchObject({
        ...{ status: 409, body: { error: "job is already running" } },
      });
    }
    expect((await cancel("job_0_0")).body.error).toBe("job not found");
    agent.close();
  });
});

describe("a deadline", () => {
  const late = async (id: string, minutes: number) =>
    await execute(
      sql`update panel_jobs set deadline_at = now() - make_interval(mins => ${minutes}) where id = ${id}`,
    );

  it("ends a job whose server never came back, and one that was never sent", async () => {
    for (const submitted of [true, false]) {
      const { site, job } = await newSite(await enrolledServer(operator));
      if (submitted) await run(job.id);
      await late(job.id, 3);
      await due(job.id);
      await run(job.id);
      expect(await jobOf(job.id)).toMatchObject({
        ...{ status: "failed", error: "the server did not answer in time" },
      });
      expect((await getOf(operator, `/v1/sites/${site.id}`)).body.status).toBe("failed");
    }
  });

  it("ends it by the cron where no attempt does, also when the job itself has failed; once", async () => {
    const server = await enrolledServer(operator);
    const [{ job: overdue, site }, { job: dead }, { job: fine }] = [
      await newSite(server),
      await newSite(server),
      await newSite(server),
    ];
    await late(overdue.id, 6);
    await execute(sql`update jobs set state = 'failed', finished_at = now() - interval '2 minutes'
      where id = ${await uuidOf(dead.id)}`);
    expect(await statusOf(dead.id)).toBe("failed");
    await Promise.all([endOverdueJobs(testContext()), endOverdueJobs(testContext())]);
    for (const { id } of [overdue, dead]) {
      expect(await jobOf(id)).toMatchObject({ status: "failed", finished_at: expect.any(String) });
    }
    expect(await statusOf(fine.id)).toBe("queued");
    expect((await getOf(operator, `/v1/sites/${site.id}`)).body.status).toBe("failed");
    expect(await trailOf(operator, { target_id: overdue.id, action: "job.failed" })).toHaveLength(
      1,
    );
  });
});

describe("an answer that is not what its command promises", () => {
  it("fails the job, and text that Postgres cannot keep is cleaned", async () => {
    const server = await enrolledServer(operator);
    const agent = await scripted(server, ({ type }) =>
      type === "db.create"
        ? success({ nonsense: true })
        : {
            ok: false,
            error: { code: "tool_failed", message: "a\u0000b\ud800", retryable: false },
          },
    );
    const post = async (path: string, json: unknown) =>
      await api(`${path}?server=${server.id}`, { method: "POST", token: operator.token, json });
    const odd = await post("/v1/db/databases", { name: "toko" });
    expect(odd.status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(odd.body)).not.toContain("nonsense");
    const { job } = await newSite(server);
    expect(await ran(job.id)).toMatchObject({
      status: "failed",
      error: expect.stringMatching(/^ab/),
    });
    agent.stop();
  });
});
