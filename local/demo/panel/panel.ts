import { generateKeyPairSync, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { LOCAL_RELEASE_KEY } from "../../settings.ts";
import { DEMO_SIGN_INS } from "../data.ts";
import { localSql, type Sql } from "../hosting/time.ts";
import { tryRequest, until } from "../http.ts";
import { check, type Tell } from "../narrator.ts";
import { backUpAndProve, breakAndRestore, makeDatabase } from "./backup.ts";
import { ask, type Job, jobEnd, type Operator, signInAtPanel } from "./calls.ts";
import { type Machine, missing, startMachine } from "./machine.ts";
import { makeSite, refuseHostile, removeSite } from "./site.ts";

/**
 * A hosting server on this machine: enrolled, a site and a database on it, backed up, proven, broken and restored; an
 * update that nobody signed refused; and what the trail tells of all that. Throws at the first step that fails.
 */
export async function runPanel(tell: Tell): Promise<void> {
  const lacking = missing();
  if (lacking.length > 0) {
    throw new Error(`This machine cannot be a hosting server yet: ${lacking.join("; ")}`);
  }
  const { sql, close } = await localSql(tell);
  const machine = await startMachine();
  try {
    await tellStory(tell, machine, sql);
  } finally {
    await machine.stop();
    await close();
  }
}

/** The story itself, on a machine and a platform that are there. */
export async function tellStory(tell: Tell, machine: Machine, sql: Sql): Promise<void> {
  const email = DEMO_SIGN_INS.find(({ role }) => role === "operator")?.email ?? "";
  const token = await signInAtPanel(tell, email);
  const { operator, agent } = await enrol(tell, token, machine);
  try {
    const site = await makeSite(operator, machine);
    await refuseHostile(operator, site);
    const account = await makeDatabase(operator, machine);
    const files = await backUpAndProve(operator, site, account);
    await breakAndRestore({ operator, machine, site, account }, files);
    await refuseForgedUpdate(operator, sql);
    await showTrail(operator, site.id);
    await removeSite(operator, machine, site);
  } catch (error) {
    console.error(agent.said().slice(-3_000));
    throw error;
  } finally {
    await agent.end();
  }
  tell.end("Enrolled, served, backed up, proven, broken, restored, and not fooled.");
}

/** A server with a token for one agent; the agent trades it for its key and connects. */
async function enrol(tell: Tell, token: string, machine: Machine) {
  const json = { name: `Demo ${crypto.randomUUID().slice(0, 8)}` };
  const made = await tryRequest<unknown>(tell.app, "/v1/servers", { method: "POST", token, json });
  check("a new server", made.status, 201);
  const { server, enrolment } = made.body as unknown as {
    server: { id: string; name: string };
    enrolment: { token: string };
  };
  const settings = ["--settings", machine.settingsFile];
  const tokenFile = `${machine.settingsFile}.token`;
  await writeFile(tokenFile, enrolment.token, { mode: 0o600 });
  await machine.agent("enrol", "--url", tell.app, "--token-file", tokenFile, ...settings);
  const agent = machine.startAgent();
  const operator: Operator = { tell, token, server: server.id };
  await until(
    "the agent is connected",
    () => ask<{ online: boolean }>(operator, "GET", `/v1/servers/${server.id}`),
    ({ online }) => online,
  );
  tell.step(
    `Agent built as one file (${machine.agentKiB} KiB), enrolled with a token that is good once, connected`,
    `${server.name}, ${server.id}; it opened no port and holds ${await agent.memoryMb()} MB`,
  );
  return { operator, agent };
}

/**
 * Two forgeries of a new version: one offered to the panel, which stores nothing that it cannot verify; one put into the
 * database itself, as by somebody who has taken the panel, which the agent refuses by the key that is built into it.
 */
export async function refuseForgedUpdate(operator: Operator, sql: Sql): Promise<void> {
  const { tell, token } = operator;
  const version = `99.${Math.floor(Date.now() / 1000) % 1_000_000}.0`;
  const forged = forge(version);
  const answer = await fetch(`${tell.app}/v1/panel/releases/${version}`, {
    method: "PUT",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/octet-stream",
      "x-release": Buffer.from(JSON.stringify(forged)).toString("base64url"),
    },
    body: "process.exit()",
  });
  check("a forged release at the panel", answer.status, 400);
  const { error } = (await answer.json()) as { error: string };

  await sql(
    `insert into panel_releases (version, rank, commit, manifest, signature, size, built_at)
      values ($1, $2, $3, $4, $5, 14, now())`,
    [version, `999999.${version}`, "0".repeat(40), forged.manifest, forged.signature],
  );
  try {
    const started = await ask<{ job_id: string }>(operator, "POST", "/v1/panel/update");
    const job: Job = await jobEnd(operator, { id: started.job_id }, "failed");
    const runs = await ask<{ version: string }>(operator, "GET", "/v1/panel/version");
    check("the agent's version", runs.version, "0.0.1");
    tell.step(
      `A forged update is refused by the panel ("${error}") and, put into its database, by the agent`,
      `${job.error}; ${runs.version} still runs (it believes ${LOCAL_RELEASE_KEY.publicKey.slice(0, 8)}… alone)`,
    );
  } finally {
    await sql("delete from panel_updates where version = $1", [version]);
    await sql("delete from panel_releases where version = $1", [version]);
  }
}

function forge(version: string) {
  const manifest = JSON.stringify({
    ...{ version, commit: "0".repeat(40), built_at: new Date().toISOString() },
    ...{ sha256: "0".repeat(64), size: 14, min_protocol: 1, max_protocol: 1 },
    url: `/v1/agent/releases/${version}/nusantarad.mjs`,
  });
  const { privateKey } = generateKeyPairSync("ed25519");
  const signature = sign(null, Buffer.from(`nusantarad-release\n${manifest}`), privateKey);
  return { manifest, signature: signature.toString("base64url") };
}

interface Entry {
  action: string;
  actor_user: string;
  target_id: string;
  created_at: string;
}

/** What was done and what was refused. */
async function showTrail(operator: Operator, siteId: string): Promise<void> {
  const { items } = await ask<{ items: Entry[] }>(operator, "GET", "/v1/audit/logs?limit=60");
  const actions = [...new Set(items.map(({ action }) => action))];
  for (const wanted of ["site.create", "db.create_user", "backup.run", "backup.restore"]) {
    check(`the trail has ${wanted}`, actions.includes(wanted), true);
  }
  const made = items.find(
    ({ action, target_id }) => action === "site.create" && target_id === siteId,
  );
  check("who made the site", made?.actor_user.startsWith("usr_"), true);
  operator.tell.step("The trail tells who did what, and what was refused", actions.join(", "));
}
