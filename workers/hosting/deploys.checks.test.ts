import { describe, expect, it, vi } from "vitest";
import { api, standIns } from "../testing/api.ts";
import { twin } from "../testing/orders.ts";
import {
  attemptDeploy,
  bringLive,
  createLiveSite,
  deploy,
  endTurn,
  type LiveSite,
  listed,
  post,
  queued,
  readDeploy,
  siteZip,
  uploadTo,
  visit,
} from "./testing/deploys.ts";
import { attempt, jobsOf, order, siteOn } from "./testing/sites.ts";
import { bigZip, smallZip, upload } from "./testing/uploads.ts";
import { zipOf } from "./testing/zips.ts";

const text = new TextEncoder();
const MIB = 1024 * 1024;

/** Runs the jobs of a site's orders that are queued. */
async function carryOut(site: LiveSite, kind: string): Promise<void> {
  await endTurn(site);
  for (const job of await jobsOf(site.id)) {
    if (job.kind === kind && job.state === "queued") await attempt(job);
  }
}

describe("a release that visitors do not get", () => {
  it("is taken back: the one before stays what is live", async () => {
    const site = await createLiveSite();
    await bringLive(site, "Lama");
    const open = await queued(site, siteZip("Baru"));
    // By hand at the panel: it answers every call, and visitors get its stop page.
    await twin(standIns().aapanel, `/_stop/${site.domain}`, {}, "POST");
    expect((await attemptDeploy(open)).outcome).toMatchObject({ result: { live: false } });
    await twin(standIns().aapanel, `/_start/${site.domain}`, {}, "POST");
    expect((await visit(site)).body).toBe("<h1>Lama</h1>");
    const { deploys, releases } = await listed(site);
    expect(deploys[0]).toMatchObject({
      status: "FAILED",
      error: "Deploy gagal: rilis baru tidak tampil, rilis sebelumnya tetap dipakai",
    });
    expect(releases).toHaveLength(1);
    // And the site is free for the next try.
    await bringLive(site, "Berikutnya");
    expect((await visit(site)).body).toBe("<h1>Berikutnya</h1>");
  });

  it("because somebody removed its folder is not rolled back to", async () => {
    const site = await createLiveSite();
    const first = await bringLive(site, "Lama");
    await bringLive(site, "Baru");
    const { driver, site: ref } = await siteOn(site.id);
    await driver.removeDirectory(ref, (await readDeploy(first.id)).folder);
    expect(await post(site, `${site.id}/rollback`, {})).toMatchObject({
      status: 500,
      body: { error: "Rilis sudah tidak ada di server" },
    });
    expect((await visit(site)).body).toBe("<h1>Baru</h1>");
  });
});

describe("a site that is suspended while it is deployed to", () => {
  it.each([14, 18, 22, 26])(
    "keeps its release over suspension and return: killed at call %i",
    async (killAt) => {
      const site = await createLiveSite();
      await bringLive(site, "Lama");
      const open = await queued(site, smallZip("Baru"));
      await attemptDeploy(open, { killAt, kill: "after" });
      await order(site.id, "suspend");
      await carryOut(site, "hosting.suspend-site");
      expect((await visit(site)).body).toContain("stopped");
      const { outcome } = await attemptDeploy(open, { attempts: 2, state: "unknown" });
      expect(outcome).toMatchObject({ state: "success" });
      const { state, failure } = await readDeploy(open.id);
      const words = state === "failed" ? "<h1>Lama</h1>" : "<h1>Baru</h1>";
      if (state === "failed") expect(failure).toBe("Deploy dihentikan: website tidak aktif");
      else expect(state).toBe("success");
      // A deploy never starts a site that was stopped.
      expect((await visit(site)).body).toContain("stopped");
      await order(site.id, "resume");
      await carryOut(site, "hosting.resume-site");
      expect((await visit(site)).body).toBe(words);
    },
  );
});

describe("a first deploy that is cut off by a suspension after its switch", () => {
  it("leaves the returned site the page that it had", async () => {
    const site = await createLiveSite();
    const before = await visit(site);
    const open = await queued(site, smallZip("Baru"));
    const step = async () => (await readDeploy(open.id)).step;
    for (let killAt = 16; !["switching", "checking"].includes(await step()); killAt += 1) {
      await endTurn(site);
      await attemptDeploy(open, { killAt, kill: "after", state: "unknown" });
    }
    // A repeat begins with the switch itself: turn, deploy, lease, progress and step, then the panel.
    await endTurn(site);
    await attemptDeploy(open, { killAt: 5, kill: "after", state: "unknown" });
    expect((await visit(site)).body).toBe("<h1>Baru</h1>");
    await order(site.id, "suspend");
    await carryOut(site, "hosting.suspend-site");
    await attemptDeploy(open, { attempts: 9, state: "unknown" });
    expect(await readDeploy(open.id)).toMatchObject({ state: "failed", release: "removing" });
    await order(site.id, "resume");
    await carryOut(site, "hosting.resume-site");
    expect(await visit(site)).toEqual(before);
  });
});

describe("what an archive may bring along", () => {
  it("files that nobody may read are readable", async () => {
    const site = await createLiveSite();
    const zip = zipOf([
      { name: "index.html", data: text.encode("terbuka"), attributes: 0o100600 * 65_536 },
    ]);
    expect((await deploy(site, await uploadTo(site, zip))).body).toMatchObject({ pending: false });
    expect(await visit(site)).toEqual({ status: 200, body: "terbuka" });
  });

  it.each(["dist", "Situs Saya", "café", "-x", "v1.2_baru"])(
    "one folder %j around everything is served from there",
    async (name) => {
      const site = await createLiveSite();
      const zip = zipOf([
        { name: `${name}/index.html`, data: text.encode("depan") },
        { name: "__MACOSX/._index.html", data: text.encode("apa saja") },
      ]);
      const answer = await deploy(site, await uploadTo(site, zip));
      expect(answer.body).toMatchObject({ pending: false });
      expect(await visit(site)).toEqual({ status: 200, body: "depan" });
    },
  );

  it.each(["a; } server {", "a&b", "it's", "$(id)"])(
    "a folder %j, whose name could be read as configuration, is refused in words and served to nobody",
    async (name) => {
      const site = await createLiveSite();
      await bringLive(site, "Lama");
      const zip = zipOf([{ name: `${name}/index.html`, data: text.encode("x") }]);
      const answer = await deploy(site, await uploadTo(site, zip));
      expect(answer).toMatchObject({
        status: 500,
        body: { error: expect.stringContaining(`nama folder "${name}" di arsip tidak didukung`) },
      });
      expect((await visit(site)).body).toBe("<h1>Lama</h1>");
    },
  );

  it("limits of PHP are brought along, or kept by the server to itself, and hinder nothing", async () => {
    const site = await createLiveSite();
    const file = (name: string) => ({ name, data: text.encode("memory_limit = 64M") });
    for (const [n, inis] of [[".user.ini"], ["php/.user.ini", "php/a.php"]].entries()) {
      const front = { name: "index.html", data: text.encode(`ke-${n}`) };
      const open = await queued(site, zipOf([front, ...inis.map(file)]));
      expect((await attemptDeploy(open)).outcome).toMatchObject({ result: { live: true } });
      expect((await visit(site)).body).toBe(`ke-${n}`);
    }
  });

  it("no front page replaces none that visitors had", async () => {
    const site = await createLiveSite();
    await bringLive(site, "Lama");
    const zip = zipOf([{ name: "a.txt", data: text.encode("a") }, { name: "b/index.html" }]);
    expect(await deploy(site, await uploadTo(site, zip))).toMatchObject({
      status: 500,
      body: { error: expect.stringContaining("tidak ada halaman depan") },
    });
    expect(await visit(site)).toEqual({ status: 200, body: "<h1>Lama</h1>" });
  });

  it("no front page is needed where there was none", async () => {
    const site = await createLiveSite();
    const { driver, site: ref } = await siteOn(site.id);
    await driver.removeFile(ref, "index.html");
    const zip = zipOf([{ name: "data.json", data: text.encode("{}") }]);
    expect((await deploy(site, await uploadTo(site, zip))).body).toMatchObject({ pending: false });
    expect(await visit(site, "data.json")).toEqual({ status: 200, body: "{}" });
  });
});

describe("a large archive", () => {
  it("is answered as pending and deployed by the queue, its progress to be seen", async () => {
    const site = await createLiveSite();
    const { driver, site: ref } = await siteOn(site.id);
    await driver.removeFile(ref, "index.html");
    const { body } = await upload(site.user, site.id, bigZip(9 * MIB));
    const answer = await deploy(site, body.file.id);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        success: true,
        message: "Deploy sedang diproses",
        pending: true,
        jobId: expect.any(String),
        deploy: { status: "QUEUED", progress: 0 },
      },
    });
    const path = `/api/website/${site.id}/deploys/${answer.body.deploy.id}`;
    const seen = new Set<number>();
    await vi.waitFor(
      async () => {
        const { deploy: now } = (await api(path, { token: site.user.token })).body;
        seen.add(now.progress);
        expect(now).toMatchObject({ status: "SUCCESS", progress: 100, step: "done" });
      },
      { timeout: 20_000, interval: 20 },
    );
    expect([...seen]).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.size).toBeGreaterThan(2);
    expect((await visit(site, "besar.bin")).status).toBe(200);
  });
});
