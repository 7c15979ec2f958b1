import { env } from "cloudflare:test";
import { type SQL, sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import {
  archiveOf,
  asOperator,
  backupServer,
  signedCall,
  signedJson,
} from "./testing/backup-agent.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

const PART = 5 * 1024 * 1024;

const Row = z.object({ r2_state: z.string(), r2_upload_id: z.string().nullable() });
const rowOf = async (id: string) => {
  const [row] = await testContext().db.run(
    rows(sql`select r2_state, r2_upload_id from panel_backups where id = ${id}`, Row),
  );
  return row;
};

/** Ends a server's commands of that name as an agent would. */
const recorded = async (end: SQL, { server, command }: { server: string; command: string }) =>
  await testContext().db.run(
    rows(
      sql`select ${end} from panel_jobs p where p.server_id = ${server} and p.command = ${command}`,
      z.unknown(),
    ),
  );

/** A backup whose upload has begun: all parts are in R2, nothing is put together. */
async function receiving() {
  const agent = await backupServer(operator);
  agent.instead = (type) => (type === "backup.upload" ? null : undefined);
  const call = asOperator(operator, agent);
  const { body } = await call("POST", "run", { kind: "database", database: "toko" });
  const facts = [...agent.files.values()].find(({ file }) => file === body.file);
  if (!facts) throw new Error("no backup was made");
  const { backupId: id, bytes, sha256 } = facts;
  const path = (what: string) => `/v1/agent/backups/${id}/${what}`;
  const archive = archiveOf(id);
  const begin = async (partBytes = PART) => {
    const answer = await signedJson(agent.server, path("upload"), { bytes, sha256, partBytes });
    return await answer.json();
  };
  const sendRest = async () =>
    (await signedCall(agent.server, "PUT", path("parts/2"), archive.slice(PART))).status;
  const send = async () => {
    await signedCall(agent.server, "PUT", path("parts/1"), archive.slice(0, PART));
    await sendRest();
  };
  const post = async (what: string) => (await signedCall(agent.server, "POST", path(what))).status;
  const key = `panel-backups/${agent.server.id}/${id}.age`;
  /** As R2 does with what lies there for seven days. */
  const expire = async () => {
    const upload = (await rowOf(id))?.r2_upload_id ?? "";
    await env.ASSETS_BUCKET.resumeMultipartUpload(key, upload).abort();
  };
  expect(await begin()).toMatchObject({ state: "receiving", parts: [] });
  return { agent, id, facts, path, archive, begin, send, sendRest, post, key, expire };
}

describe("an upload that R2 has given up meanwhile", () => {
  it("is told so at the next part, and begins anew", async () => {
    const { agent, begin, sendRest, expire, id } = await receiving();
    expect(await sendRest()).toBe(200);
    await expire();
    expect([await sendRest(), await sendRest()]).toEqual([409, 409]);
    expect(await rowOf(id)).toMatchObject({ r2_state: "none" });
    expect(await begin()).toMatchObject({ state: "receiving", parts: [] });
    expect(await sendRest()).toBe(200);
    agent.stop();
  });

  it("is told so where all its parts were sent before, and begins anew", async () => {
    const { agent, begin, send, post, expire } = await receiving();
    await send();
    await expire();
    expect(await post("complete")).toBe(409);
    expect(await begin()).toMatchObject({ state: "receiving", parts: [] });
    agent.stop();
  });

  it("is not one that was put together by an attempt which died before it was written down", async () => {
    const { agent, send, post, id, key } = await receiving();
    await send();
    const [parts] = await testContext().db.run(
      rows(
        sql`select jsonb_agg(jsonb_build_object('partNumber', n, 'etag', etag) order by n) as parts
          from panel_backup_parts where backup_id = ${id}`,
        z.object({ parts: z.array(z.object({ partNumber: z.number(), etag: z.string() })) }),
      ),
    );
    const upload = (await rowOf(id))?.r2_upload_id ?? "";
    await env.ASSETS_BUCKET.resumeMultipartUpload(key, upload).complete(parts?.parts ?? []);
    expect(await post("complete")).toBe(200);
    expect(await rowOf(id)).toMatchObject({ r2_state: "complete" });
    agent.stop();
  });

  it("or that was cut into other parts by another release of the agent, begins anew", async () => {
    const { agent, begin, sendRest } = await receiving();
    await sendRest();
    const larger = PART + 1024 * 1024;
    expect(await begin(larger)).toEqual({ state: "receiving", partBytes: larger, parts: [] });
    agent.stop();
  });
});

describe("a copy in R2 that is not what was sent", () => {
  it("is sent anew, and counts once what is read back is right", async () => {
    const { agent, begin, send, post, id, key, archive, facts, path } = await receiving();
    await send();
    expect(await post("complete")).toBe(200);
    await env.ASSETS_BUCKET.put(key, new Uint8Array(archive.length));
    const differs = "what R2 holds differs from what was sent";
    await recorded(
      sql`panel_record_command(jsonb_build_object('job_id', p.job_id, 'ok', false,
      'error_code', 'integrity', 'error', ${differs}::text))`,
      { server: agent.server.id, command: "backup.upload" },
    );
    expect(await rowOf(id)).toMatchObject({ r2_state: "none" });
    expect(await begin()).toMatchObject({ state: "receiving", parts: [] });
    await send();
    expect(await post("complete")).toBe(200);
    const held = await signedCall(agent.server, "GET", path("object"));
    expect(new Uint8Array(await held.arrayBuffer())).toEqual(archive);
    expect(
      (await signedJson(agent.server, path("verified"), { sha256: facts.sha256 })).status,
    ).toBe(200);
    agent.stop();
  });
});

describe("when a backup was proven", () => {
  it.each([
    ["ahead", "9999-01-01T00:00:00Z"],
    ["behind", "2001-01-01T00:00:00Z"],
  ])("is about now, also where its server's clock is years %s", async (_, provenAt) => {
    const agent = await backupServer(operator);
    agent.instead = (type) => (type === "backup.prove" ? null : undefined);
    const call = asOperator(operator, agent);
    const { body } = await call("POST", "run", { kind: "database", database: "toko" });
    const value = JSON.stringify({ restoreMs: 1, provenAt, counts: {}, healed: false });
    await recorded(
      sql`panel_record_command(jsonb_build_object('job_id', p.job_id, 'ok', true,
      'value', ${value}::jsonb))`,
      { server: agent.server.id, command: "backup.prove" },
    );
    const [row] = await testContext().db.run(
      rows(
        sql`select last_proven_at from panel_backups where file = ${body.file} and server_id = ${agent.server.id}`,
        z.object({ last_proven_at: z.coerce.date() }),
      ),
    );
    expect(Math.abs((row?.last_proven_at.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    agent.stop();
  });
});
