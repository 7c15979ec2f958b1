import { sql } from "drizzle-orm";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { type Job, type JobOutcome, runJob } from "../../../shared/jobs/jobs.ts";
import { api, standIns, testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { deployJob, removeReleaseJob } from "../deploys.ts";
import { type BenchOptions, bench, newDomain, siteOn, subscribe } from "./sites.ts";
import { upload } from "./uploads.ts";
import { zipOf } from "./zips.ts";

const text = new TextEncoder();

export interface LiveSite {
  user: TestUser;
  id: string;
  domain: string;
}

/** An active website on the panel's twin. */
export async function createLiveSite(): Promise<LiveSite> {
  const { user, id: subscriptionId } = await subscribe();
  const domain = newDomain();
  const { status, body } = await api("/api/website/create", {
    method: "POST",
    token: user.token,
    json: { subscriptionId, domain },
  });
  if (status !== 200 || body.website.status !== "ACTIVE") throw new Error(`no site: ${status}`);
  return { user, id: body.website.id, domain };
}

/** A small site: a front page that says `words`, a style sheet in a folder, an empty file. */
export const siteZip = (words: string) =>
  zipOf([
    { name: "index.html", data: text.encode(`<h1>${words}</h1>`) },
    { name: "css/" },
    { name: "css/situs.css", data: text.encode("h1 { color: green }") },
    { name: "kosong.txt" },
  ]);

/** Uploads an archive and gives its id. */
export async function uploadTo(site: LiveSite, archive: Uint8Array): Promise<string> {
  const { status, body } = await upload(site.user, site.id, archive);
  if (status !== 200) throw new Error(`not uploaded: ${status} ${body.error}`);
  return body.file.id;
}

export const post = (site: LiveSite, path: string, json: object) =>
  api(`/api/website/${path}`, { method: "POST", token: site.user.token, json });

export const deploy = (site: LiveSite, fileUploadId: string) =>
  post(site, "deploy", { websiteId: site.id, fileUploadId });

export const listed = async (site: LiveSite) =>
  (await api(`/api/website/${site.id}/deploys`, { token: site.user.token })).body;

/** Uploads and deploys in one go, on a panel that does as it should. */
export async function bringLive(site: LiveSite, words: string) {
  const answer = await deploy(site, await uploadTo(site, siteZip(words)));
  if (answer.body.pending !== false) throw new Error(`not live: ${JSON.stringify(answer.body)}`);
  return answer.body.deploy;
}

/** What a visitor gets; `/_site/` stands for the Host header that fetch cannot set. */
export async function visit(site: LiveSite, path = ""): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${standIns().aapanel}/_site/${site.domain}/${path}`);
  return { status: answer.status, body: await answer.text() };
}

const Opened = z.object({ deploy: z.object({ id: z.string(), job_id: z.string() }) });

async function open(name: string, site: LiveSite, more: object): Promise<OpenDeploy> {
  const input = { user_id: site.user.userId, website_id: site.id, ...more };
  const { deploy } = await testContext().db.run(call(name, input, Opened));
  return { site, id: deploy.id, jobId: deploy.job_id };
}

/** A deploy that is queued, and whose job only the test runs. */
export async function queued(site: LiveSite, archive: Uint8Array): Promise<OpenDeploy> {
  const uploadId = await uploadTo(site, archive);
  const folder = `releases/${crypto.randomUUID().replaceAll("-", "")}`;
  return await open("hosting_deploy_open", site, { upload_id: uploadId, folder });
}

export const queuedRollback = (site: LiveSite, releaseId: string) =>
  open("hosting_rollback_open", site, { release_id: releaseId });

export interface OpenDeploy {
  site: LiveSite;
  id: string;
  jobId: string;
}

export interface AttemptOptions extends BenchOptions {
  attempts?: number;
  state?: Job["state"];
}

const JOB = deployJob([0, 0]);

/** One attempt of a deploy's job, which may be killed on the way. */
export async function attemptDeploy(
  { site, id, jobId }: OpenDeploy,
  options: AttemptOptions = {},
): Promise<{ outcome: JobOutcome | "killed"; steps: number }> {
  const { attempts = 1, state = "queued" } = options;
  const leaseId = await lease(jobId);
  const { ctx, killed, settle, steps } = bench(options);
  const payload = { deploy_id: id, website_id: site.id };
  const job = { id: jobId, kind: JOB.kind, payload, state, attempts, leaseId };
  const outcome = await Promise.race([JOB.run(ctx, { ...job, createdAt: new Date() }), killed]);
  await settle();
  return { outcome, steps: steps() };
}

/** As a queue's delivery claims it; a claim before it has run out. */
async function lease(jobId: string): Promise<string> {
  const leaseId = crypto.randomUUID();
  await testContext().db.run(
    rows(
      sql`update jobs set state = 'running', lease_id = ${leaseId}, lease_until = now() + interval '5 minutes'
        where id = ${jobId}`,
      z.unknown(),
    ),
  );
  return leaseId;
}

/** The turn of a process that died has run out. */
export const endTurn = (site: LiveSite) =>
  testContext().db.run(
    rows(
      sql`update hosting_websites set turn_until = now() - interval '1 second' where id = ${site.id}`,
      z.unknown(),
    ),
  );

const deployRow = z.object({
  state: z.string(),
  step: z.string(),
  failure: z.string().nullable(),
  folder: z.string(),
  release: z.string(),
});

/** What the database says of a deploy. */
export async function readDeploy(id: string): Promise<z.output<typeof deployRow>> {
  const [row] = await testContext().db.run(
    rows(
      sql`select d.state, d.step, d.failure, r.folder, r.state as release
        from hosting_deploys d join hosting_releases r on r.id = d.release_id where d.id = ${id}`,
      deployRow,
    ),
  );
  if (!row) throw new Error("no such deploy");
  return row;
}

/** Runs the removals that wait for a site, unless a queue was quicker. */
export async function removeOld(site: LiveSite): Promise<void> {
  const waiting = await testContext().db.run(
    rows(
      sql`select id from jobs where kind = 'hosting.remove-release'
        and payload->>'website_id' = ${site.id} and finished_at is null order by id`,
      z.object({ id: z.string() }),
    ),
  );
  for (const { id } of waiting) await runJob(bench().ctx, id, [removeReleaseJob]);
}

/** The names in a folder of a site, by the panel's own word; null where there is no such folder. */
export async function filesIn(site: LiveSite, folder: string): Promise<string[] | null> {
  const { driver, site: ref } = await siteOn(site.id);
  const listed = await driver.listDirectory(ref, folder);
  if (listed.state === "unknown") throw new Error(listed.detail);
  return listed.state === "done" ? listed.value.map(({ name }) => name).sort() : null;
}
