import { env } from "cloudflare:test";
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { BACKUP_PART_BYTES } from "../../../shared/agent-protocol/backups.ts";
import { sha256Hex } from "../../../shared/crypto/index.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { enrolledServer } from "../testing/agents.ts";
import { execute } from "../testing/operators.ts";
import { eventually } from "../testing/scripted.ts";
import { letGo } from "./chores.ts";
import {
  archiveOf,
  asOperator,
  type BackupAgent,
  backupServer,
  signedCall,
  signedJson,
} from "./testing/backup-agent.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

const PART = 5 * 1024 * 1024;

/** A backup that its agent has made, not yet in R2; the agent is silent from here on. */
async function made(kind: "state" | "database" = "database") {
  const agent = await backupServer(operator);
  const json = kind === "state" ? {} : { kind, database: "toko" };
  const { body } = await asOperator(operator, agent)("POST", "run", json);
  const facts = [...agent.files.values()].at(-1);
  if (!facts || facts.file !== body.file) throw new Error("no backup was made");
  const path = (what: string) => `/v1/agent/backups/${facts.backupId}/${what}`;
  return { agent, facts, path, archive: archiveOf(facts.backupId) };
}

const begin = async (agent: BackupAgent, path: string, facts: { bytes: number; sha256: string }) =>
  await signedJson(agent.server, path, {
    bytes: facts.bytes,
    sha256: facts.sha256,
    partBytes: PART,
  });

const r2State = async (id: string) =>
  (
    await testContext().db.run(
      rows(
        sql`select r2_state from panel_backups where id = ${id}`,
        z.object({ r2_state: z.string() }),
      ),
    )
  )[0]?.r2_state;

describe("an agent's upload", () => {
  it("goes part by part, goes on where it stopped, and counts only when it was read back", async () => {
    const { agent, facts, path, archive } = await made();
    const { server } = agent;
    expect(await (await begin(agent, path("upload"), facts)).json()).toEqual({
      state: "receiving",
      partBytes: PART,
      parts: [],
    });
    const first = archive.slice(0, PART);
    expect((await signedCall(server, "PUT", path("parts/1"), first)).status).toBe(200);
    const again = await begin(agent, path("upload"), facts);
    expect(await again.json()).toMatchObject({
      parts: [{ n: 1, bytes: PART, sha256: await sha256Hex(first) }],
    });
    expect((await signedCall(server, "POST", path("complete"))).status).toBe(409);
    expect((await signedCall(server, "PUT", path("parts/2"), archive.slice(PART))).status).toBe(
      200,
    );
    expect((await signedCall(server, "PUT", path("manifest"), "{}")).status).toBe(200);
    expect((await signedCall(server, "GET", path("object"))).status).toBe(404);
    for (let times = 0; times < 2; times += 1) {
      expect((await signedCall(server, "POST", path("complete"))).status).toBe(200);
    }
    const range = { headers: { range: `bytes=${PART - 2}-${archive.length - 1}` } };
    const rest = await signedCall(server, "GET", path("object"), "", range);
    expect(rest.status).toBe(206);
    expect(new Uint8Array(await rest.arrayBuffer())).toEqual(archive.slice(PART - 2));
    expect(await r2State(facts.backupId)).toBe("complete");
    expect((await signedJson(server, path("verified"), { sha256: "0".repeat(64) })).status).toBe(
      409,
    );
    expect((await signedJson(server, path("verified"), { sha256: facts.sha256 })).status).toBe(200);
    expect(await r2State(facts.backupId)).toBe("verified");
    expect(await (await begin(agent, path("upload"), facts)).json()).toMatchObject({
      state: "complete",
    });
    agent.stop();
  });

  it("takes no part that is too long, too short, out of range or after the end", async () => {
    const { agent, facts, path } = await made();
    await begin(agent, path("upload"), facts);
    for (const [n, bytes] of [
      [1, PART - 1],
      [1, PART + 1],
      [2, PART],
      [3, 1_000],
      [0, PART],
    ] as const) {
      const refused = await signedCall(
        agent.server,
        "PUT",
        path(`parts/${n}`),
        new Uint8Array(bytes),
      );
      expect([n, bytes, refused.status]).toEqual([n, bytes, 400]);
    }
    const huge = await signedCall(
      agent.server,
      "PUT",
      path("parts/1"),
      new Uint8Array(2 * BACKUP_PART_BYTES + 1),
    );
    expect(huge.status).toBe(413);
    agent.stop();
  });

  it("is refused for another backup than was made, and for one of another server", async () => {
    const [mine, other] = [await made(), await made()];
    const wrong = { bytes: mine.facts.bytes + 1, sha256: mine.facts.sha256 };
    expect((await begin(mine.agent, mine.path("upload"), wrong)).status).toBe(409);
    for (const [method, what] of [
      ["GET", "state"],
      ["POST", "complete"],
      ["GET", "object"],
      ["GET", "manifest"],
      ["PUT", "parts/1"],
      ["PUT", "manifest"],
      ["POST", "prove"],
    ] as const) {
      const body = method === "GET" || what === "complete" ? "" : "{}";
      const answer = await signedCall(mine.agent.server, method, other.path(what), body);
      expect([what, answer.status]).toEqual([what, 404]);
    }
    expect((await begin(mine.agent, other.path("upload"), other.facts)).status).toBe(404);
    mine.agent.stop();
    other.agent.stop();
  });

  it("is refused without a signature, with another body than was signed, and with an operator's token", async () => {
    const { agent, facts, path } = await made();
    await begin(agent, path("upload"), facts);
    const unsigned = await api(path("parts/1"), { method: "PUT", body: "x" });
    expect(unsigned).toMatchObject({ status: 401, body: { error: "unauthorized" } });
    const token = await api(path("object"), { token: operator.token });
    expect(token.status).toBe(401);
    const forged = await signedCall(agent.server, "PUT", path("parts/1"), new Uint8Array(PART), {
      signedBody: "other",
    });
    expect(forged.status).toBe(401);
    const stranger = await enrolledServer(operator);
    const answer = await signedCall(
      { id: agent.server.id, key: stranger.key },
      "GET",
      path("object"),
    );
    expect(answer.status).toBe(401);
    agent.stop();
  });
});

describe("what a policy lets go", () => {
  it("is gone from R2 and from the disk, and the rows with it", async () => {
    const { agent, facts, path, archive } = await made();
    await begin(agent, path("upload"), facts);
    await signedCall(agent.server, "PUT", path("parts/1"), archive.slice(0, PART));
    await signedCall(agent.server, "PUT", path("parts/2"), archive.slice(PART));
    await signedCall(agent.server, "PUT", path("manifest"), "{}");
    await signedCall(agent.server, "POST", path("complete"));
    const key = `panel-backups/${agent.server.id}/${facts.backupId}.age`;
    expect((await env.ASSETS_BUCKET.head(key))?.size).toBe(archive.length);
    await execute(sql`update panel_jobs set outcome = 'failed', error = 'x', finished_at = now() - interval '2 hours'
      where server_id = ${agent.server.id} and outcome is null`);
    await execute(sql`update panel_backups set state = 'removing' where id = ${facts.backupId}`);

    await letGo(testContext());
    expect(await env.ASSETS_BUCKET.head(key)).toBeNull();
    await eventually(
      () => r2State(facts.backupId),
      (seen) => seen === undefined,
      "the removal",
    );
    expect(agent.files.size).toBe(0);
    agent.stop();
  });
});
