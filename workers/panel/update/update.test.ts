import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { createUser } from "../../testing/factories.ts";
import { recordReport } from "../monitor/report.ts";
import { createOperator, eventually, execute, trailOf } from "../testing/operators.ts";
import { publish, signRelease } from "../testing/releases.ts";
import { createServer, reportOf, type TestServer } from "../testing/servers.ts";
import { verdictOf } from "./updates.ts";

const refused = (status: number, words: string) => ({
  status,
  body: failureBody("panel", status, words),
});

const query = <S extends z.ZodType>(text: ReturnType<typeof sql>, row: S) =>
  testContext().db.run(rows(text, row));

const call = (token: string, server: TestServer, path = "", method = "GET") =>
  api(`/v1/panel/update${path}?server=${server.id}`, { method, token });

/** What the agent's end of the job says, as the link would tell it. */
async function endUpdate(server: TestServer, end: object): Promise<void> {
  const [job] = await query(
    sql`select job_id from panel_updates where server_id = ${server.id} order by started_at desc limit 1`,
    z.object({ job_id: z.string() }),
  );
  await execute(
    sql`select panel_record_command(${JSON.stringify({ job_id: job?.job_id, ...end })}::jsonb)`,
  );
}

/** As if the last update had begun that long ago. */
const age = (server: TestServer, seconds: number) =>
  execute(sql`update panel_updates set started_at = started_at - make_interval(secs => ${seconds}::int)
    where server_id = ${server.id}`);

describe("POST /v1/panel/update", () => {
  it("starts a job with the newest signed release, and tells of it", async () => {
    const [operator, server] = [await createOperator(), await createServer()];
    const release = await signRelease();
    await publish(operator.token, release);
    const { status, body } = await call(operator.token, server, "", "POST");
    expect(status).toBe(202);
    expect(body).toEqual({
      unit: "nusantara-panel-updater.service",
      repo_url: "http://localhost:8787/v1/agent/releases",
      branch: "main",
      script_url: expect.stringMatching(/\/v1\/agent\/releases\/[\d.]+\/nusantarad\.mjs$/),
      started_at: expect.stringMatching(/Z$/),
      version: expect.any(String),
      job_id: expect.stringMatching(/^job_/),
    });
    const [command] = await query(
      sql`select p.input->'release'->>'manifest' as manifest, p.command from panel_jobs p where p.id = ${body.job_id}`,
      z.object({ manifest: z.string(), command: z.string() }),
    );
    expect(command?.command).toBe("agent.update");
    expect(JSON.parse(command?.manifest ?? "").version).toBe(body.version);
    const trail = await trailOf(operator, { action: "panel.update.start", target_id: server.id });
    expect(trail).toMatchObject([{ actor_user: `usr_${operator.userId}` }]);
  });

  it("answers 409 while one runs and 429 for 20 seconds after, each with the status, and of ten at once starts one", async () => {
    const [operator, server] = [await createOperator(), await createServer()];
    await publish(operator.token, await signRelease());
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => call(operator.token, server, "", "POST")),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array(9).fill(409)]);
    const again = await call(operator.token, server, "", "POST");
    expect(again.status).toBe(409);
    expect(again.body).toEqual({
      error: "panel update is already running",
      timestamp: expect.any(String),
      update_status: expect.objectContaining({
        running: true,
        active_state: "activating",
        sub_state: "start",
      }),
    });
    await endUpdate(server, { ok: true, value: {} });
    const soon = await call(operator.token, server, "", "POST");
    expect(soon.status).toBe(429);
    expect(soon.body.error).toMatch(/^panel updater cooldown is active: wait \d+s$/);
    expect(soon.body.update_status).toMatchObject({ running: false, success: true });
    expect(Number(soon.headers.get("retry-after"))).toBeGreaterThan(15);
    await age(server, 20);
    expect((await call(operator.token, server, "", "POST")).status).toBe(202);
  });

  it("keeps the refusals in the trail", async () => {
    const [operator, server] = [await createOperator(), await createServer()];
    await publish(operator.token, await signRelease());
    for (let i = 0; i < 2; i++) await call(operator.token, server, "", "POST");
    const read = () =>
      trailOf(operator, { action: "panel.update.start.refused", target_id: server.id });
    const trail = await eventually(read, "panel.update.start.refused");
    expect(trail).toMatchObject([{ actor_user: `usr_${operator.userId}` }]);
    expect(JSON.parse(trail[0]?.metadata ?? "")).toEqual({ reason: "conflict" });
  });
});

describe("GET /v1/panel/update/status", () => {
  it("tells of no update, a running, a failed and a good one in the words of systemd", async () => {
    const [operator, server] = [await createOperator(), await createServer()];
    await publish(operator.token, await signRelease());
    const status = async () => (await call(operator.token, server, "/status")).body;
    expect(await status()).toEqual({
      ...{ unit: "nusantara-panel-updater.service", exists: false, running: false },
      ...{ active_state: "inactive", sub_state: "dead", result: "success", exec_main_status: 0 },
      ...{ state_change_timestamp: "", success: false, failed: false, logs: [] },
      last_checked_at: expect.stringMatching(/Z$/),
    });
    await call(operator.token, server, "", "POST");
    await execute(sql`select panel_job_progress(job_id, 40, '["verified", "installed"]') from panel_updates
      where server_id = ${server.id}`);
    expect(await status()).toMatchObject({
      ...{ exists: true, running: true, active_state: "activating", sub_state: "start" },
      logs: ["verified", "installed"],
    });
    await endUpdate(server, {
      ok: false,
      error_code: "integrity",
      error: "the release is not signed",
    });
    expect(await status()).toMatchObject({
      ...{
        running: false,
        failed: true,
        success: false,
        active_state: "failed",
        sub_state: "failed",
      },
      ...{ result: "exit-code", exec_main_status: 1 },
      logs: ["verified", "installed", "the release is not signed"],
    });
    const trail = await trailOf(operator, { target_id: server.id, action: "panel.update.failed" });
    expect(JSON.parse(trail[0]?.metadata ?? "")).toMatchObject({ code: "integrity" });
    await age(server, 60);
    await call(operator.token, server, "", "POST");
    await endUpdate(server, { ok: true, value: {} });
    expect(await status()).toMatchObject({
      ...{
        running: false,
        failed: false,
        success: true,
        active_state: "inactive",
        sub_state: "dead",
      },
      state_change_timestamp: expect.stringMatching(/Z$/),
    });
  });
});

describe("GET /v1/panel/version", () => {
  it("is the contract's defaults before an agent has told of itself, then what it told", async () => {
    const [operator, server] = [await createOperator(), await createServer()];
    const version = () => api(`/v1/panel/version?server=${server.id}`, { token: operator.token });
    expect((await version()).body).toEqual({
      ...{ version: "dev", commit: "unknown", build_time: "unknown", go_version: "unknown" },
      timestamp: expect.stringMatching(/Z$/),
    });
    await recordReport(testContext(), server.id, reportOf());
    expect((await version()).body).toMatchObject({
      ...{ version: "1.0.0", commit: "0123456789ab", build_time: "2026-11-01T00:00:00Z" },
      go_version: "node v22.12.0",
    });
  });
});

describe("GET /v1/panel/update/check", () => {
  it("compares the running build with the newest release", async () => {
    const [operator, server] = [await createOperator(), await createServer()];
    await publish(operator.token, await signRelease());
    const before = await call(operator.token, server, "/check");
    expect(before.body).toMatchObject({
      ...{
        status: "unknown",
        up_to_date: false,
        update_available: false,
        current_commit: "unknown",
      },
      ...{
        branch: "main",
        note: expect.any(String),
        remote_commit: expect.stringMatching(/^[0-9a-f]+$/),
      },
    });
    await recordReport(testContext(), server.id, reportOf());
    const after = await call(operator.token, server, "/check");
    expect(after.body).toMatchObject({
      ...{ status: "update_available", update_available: true, up_to_date: false },
      ...{ current_version: "1.0.0", current_commit: "0123456789ab" },
    });
    expect(after.body).not.toHaveProperty("note");
  });

  it.each([
    ["up_to_date", "1.0.0", "0123456", "1.0.0", "0123456789"],
    ["up_to_date", "1.0.0", "0123456789", "1.0.0", "0123456"],
    ["update_available", "1.0.0", "0123456", "1.0.1", "abcdef0"],
    ["up_to_date", "1.10.0", "0123456", "1.9.9", "abcdef0"],
    ["unknown", "1.0.0", "unknown", "1.0.1", "abcdef0"],
    ["unknown", "1.0.0", "0123456", null, null],
  ])(
    "is %s for %s (%s) beside %s (%s)",
    (status, version, commit, remote_version, remote_commit) => {
      const found = {
        version,
        commit,
        built_at: null,
        runtime: null,
        remote_version,
        remote_commit,
      };
      expect(verdictOf(found)).toMatchObject({ status });
    },
  );
});

const PATHS: [string, string][] = [
  ["POST", "/v1/panel/update"],
  ["GET", "/v1/panel/update/check"],
  ["GET", "/v1/panel/update/status"],
  ["GET", "/v1/panel/version"],
];

describe.each(PATHS)("%s %s", (method, path) => {
  it("is for operators alone, about servers that there are", async () => {
    const admin = await createUser(["admin", "buyer"]);
    const { token } = await createOperator();
    expect(await api(path, { method })).toMatchObject(refused(401, "unauthorized"));
    expect(await api(path, { method, token: admin.token })).toMatchObject(
      refused(403, "forbidden"),
    );
    const unknown = await api(`${path}?server=srv_none`, { method, token });
    expect(unknown).toMatchObject(refused(404, "server not found"));
    expect((await api(path, { method: "DELETE", token })).status).toBe(405);
  });
});
