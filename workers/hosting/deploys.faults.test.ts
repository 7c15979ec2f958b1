import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { contextWithQueues } from "../../shared/jobs/test-queues.ts";
import { alertMail } from "../../shared/mail/alert.ts";
import { followDeploys } from "./deploys.ts";
import {
  attemptDeploy,
  bringLive,
  createLiveSite,
  endTurn,
  filesIn,
  listed,
  type OpenDeploy,
  queued,
  queuedRollback,
  readDeploy,
  siteZip,
  visit,
} from "./testing/deploys.ts";
import { query, run } from "./testing/sales.ts";
import { dial, SILENCE_MS } from "./testing/sites.ts";
import { zipOf } from "./testing/zips.ts";

const text = new TextEncoder();
const page = (words: string) => zipOf([{ name: "index.html", data: text.encode(words) }]);

/** Attempts one after another, as the queue makes them, until the deploy has ended. */
async function finish(open: OpenDeploy, first = 1): Promise<string> {
  for (let attempts = first; attempts < first + 12; attempts += 1) {
    await endTurn(open.site);
    await attemptDeploy(open, { attempts, state: "unknown" });
    const { state } = await readDeploy(open.id);
    if (state !== "running" && state !== "queued") return state;
  }
  throw new Error("a deploy comes to no end");
}

describe("a process that is killed at any call", () => {
  it("leaves visitors a whole release, and a repeat brings the new one", async () => {
    const site = await createLiveSite();
    const first = await queued(site, page("0"));
    const { steps } = await attemptDeploy(first);
    expect((await readDeploy(first.id)).state).toBe("success");
    let before = "0";
    // Every call from the switch on, before and after it; of the calls that only prepare, some.
    const prepared = steps - 14;
    const kills = Array.from({ length: steps }, (_, at) => at).filter(
      (at) => at >= prepared || Math.random() < 0.1,
    );
    for (const killAt of kills) {
      const words = `Ke-${killAt}`;
      const open = await queued(site, page(words));
      const kill = Math.random() < 0.5 ? "before" : "after";
      const { outcome } = await attemptDeploy(open, { killAt, kill });
      expect(outcome, `at ${killAt}`).toBe("killed");
      expect([before, words]).toContain((await visit(site)).body);
      expect(await finish(open, 2), `${kill} ${killAt}`).toBe("success");
      expect((await visit(site)).body).toBe(words);
      before = words;
    }
  }, 60_000);

  it("of a rollback is the same", async () => {
    const site = await createLiveSite();
    const releases = [await bringLive(site, "A"), await bringLive(site, "B")];
    let live = 1;
    for (const killAt of [3, 8, 11, 12, 13, 14, 15]) {
      const target = 1 - live;
      const open = await queuedRollback(site, releases[target]?.releaseId);
      await attemptDeploy(open, { killAt, kill: killAt % 2 === 0 ? "before" : "after" });
      expect(["<h1>A</h1>", "<h1>B</h1>"]).toContain((await visit(site)).body);
      expect(await finish(open, 2)).toBe("success");
      expect((await visit(site)).body).toBe(target === 0 ? "<h1>A</h1>" : "<h1>B</h1>");
      live = target;
    }
  }, 30_000);

  it("while its marker is taken away leaves the turn with it: nobody else works meanwhile", async () => {
    const site = await createLiveSite();
    const { steps } = await attemptDeploy(await queued(site, page("Satu")));
    const open = await queued(site, page("Dua"));
    // Its last call is the end of the turn.
    await attemptDeploy(open, { killAt: steps - 2 });
    const { state, folder } = await readDeploy(open.id);
    expect(state).toBe("success");
    expect(await filesIn(site, folder)).toContainEqual(expect.stringMatching(/^lumbung-.*txt$/));
    const rows = await query(
      sql`select turn_until > clock_timestamp() as held from hosting_websites where id = ${site.id}`,
      z.object({ held: z.boolean() }),
    );
    expect(rows).toEqual([{ held: true }]);
  });

  it("and of two deliveries of one job only one works", async () => {
    const site = await createLiveSite();
    await bringLive(site, "Lama");
    const open = await queued(site, page("Dua kali"));
    const both = await Promise.all([attemptDeploy(open), attemptDeploy(open)]);
    expect(both.map(({ outcome }) => outcome)).toContainEqual(
      expect.objectContaining({ state: "success" }),
    );
    expect(await finish(open, 2)).toBe("success");
    expect((await visit(site)).body).toBe("Dua kali");
    // A delivery that comes when all is over does nothing.
    const late = await attemptDeploy(open, { attempts: 9 });
    expect(late.outcome).toMatchObject({ state: "success", result: { nothing_to_do: true } });
    expect((await listed(site)).releases).toHaveLength(2);
  });

  it("with a job that has ended without it, is taken up by another job", async () => {
    const site = await createLiveSite();
    const open = await queued(site, page("Diselamatkan"));
    await attemptDeploy(open, { killAt: 12 });
    await run(sql`update jobs set state = 'failed', finished_at = now() where id = ${open.jobId}`);
    const { ctx } = contextWithQueues();
    await followDeploys(ctx);
    const [deploy] = (await listed(site)).deploys;
    expect(deploy).toMatchObject({ id: open.id, status: "RUNNING" });
    expect(deploy.jobId).not.toBe(open.jobId);
    expect(await finish({ ...open, jobId: deploy.jobId })).toBe("success");
    expect((await visit(site)).body).toBe("Diselamatkan");
  });
});

describe("a deploy that is not seen to be undone", () => {
  const alertsOf = ({ id }: OpenDeploy) =>
    query(
      sql`select payload->'data' as data from jobs where dedupe_key = ${`mail/alert/hosting-deploy/${id}`}`,
      z.object({ data: alertMail.schema }),
    );

  it("is told to the operator once, in words, and is over by itself when its server is mended", async () => {
    const { site, open } = await faulty({ path: "SetSiteRunPath", say: "nginx says no" });
    await attemptDeploy(open, { attempts: 7, state: "unknown" });
    expect(await readDeploy(open.id)).toMatchObject({ state: "running", step: "reverting" });
    const { ctx } = contextWithQueues();
    await followDeploys(ctx);
    expect(await alertsOf(open)).toEqual([]);
    await run(sql`update hosting_deploys set started_at = now() - interval '61 minutes',
      updated_at = now() - interval '61 minutes', rescues = 3 where id = ${open.id}`);
    await run(sql`update jobs set state = 'failed', finished_at = now(), error = 'nginx says no'
      where id = ${open.jobId}`);
    await followDeploys(ctx);
    await followDeploys(ctx);
    const [alert, ...more] = await alertsOf(open);
    expect(more).toEqual([]);
    expect(alert?.data.what).toContain(site.domain);
    expect(alert?.data.facts).toMatchObject({ deploy: open.id, langkah: "reverting" });
    if (!alert) throw new Error("no alert");
    const words = alertMail.text(alert.data, ctx.config);
    expect(words).toContain("Perbaiki server itu.");
    expect(words).not.toContain("tidak akan mencobanya");

    await dial(site.domain, { path: "SetSiteRunPath" });
    const [deploy] = (await listed(site)).deploys;
    expect(deploy.jobId).not.toBe(open.jobId);
    expect(await finish({ ...open, jobId: deploy.jobId })).toBe("failed");
    await bringLive(site, "Lagi");
    expect((await visit(site)).body).toBe("<h1>Lagi</h1>");
  });
});

/** A deploy over a release that is live, on a panel with a fault. */
async function faulty(faults: Record<string, unknown>, words = "Baru") {
  const site = await createLiveSite();
  await bringLive(site, "Lama");
  const open = await queued(site, siteZip(words));
  await dial(site.domain, faults);
  return { site, open };
}

describe("a panel that does not do as it should", () => {
  it.each<[string, Record<string, unknown>]>([
    ["answers HTML now and then", { rubbish: { count: 2 } }],
    ["is busy for a while", { refuse: { count: 2 } }],
    ["breaks off once", { down: { count: 1 } }],
    ["acts and does not answer", { path: "UnZip", timeOut: { count: 1 } }],
    [
      "acts and breaks off at the switch",
      { path: "SetSiteRunPath", down: { count: 1, acts: true } },
    ],
    ["loses a part of the upload", { shortChunk: { count: 1 } }],
    ["unpacks only a part, once", { unzipSilent: { value: 1, count: 1 } }],
  ])("and %s still gets the release, whole", async (_, faults) => {
    const { site, open } = await faulty(faults);
    await attemptDeploy(open, { timeoutMs: SILENCE_MS });
    expect(await finish(open, 2)).toBe("success");
    expect((await visit(site)).body).toBe("<h1>Baru</h1>");
    expect((await visit(site, "css/situs.css")).status).toBe(200);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["refuses the upload", { path: "action=upload", say: "Disk full" }, /^Upload gagal: /],
    ["cannot unpack", { path: "UnZip", say: "Unknown format" }, /^Extract gagal: /],
    ["unpacks only a part, always", { unzipSilent: 1 }, /^Extract gagal: /],
    ["is away", { path: "action=upload", refuse: true }, /server hosting tidak dapat dihubungi$/],
    [
      "does not switch",
      { path: "SetSiteRunPath", say: { value: "nginx says no", count: 1 } },
      /^Deploy gagal: /,
    ],
  ])("and %s keeps the old release and says so", async (_, faults, words) => {
    const { site, open } = await faulty(faults);
    expect(await finish(open)).toBe("failed");
    expect((await visit(site)).body).toBe("<h1>Lama</h1>");
    const [deploy] = (await listed(site)).deploys;
    expect(deploy).toMatchObject({ status: "FAILED", error: expect.stringMatching(words) });
    expect((await readDeploy(open.id)).release).toBe("removing");
  });
});
