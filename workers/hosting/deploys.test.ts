import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { api } from "../testing/api.ts";
import { failureBody } from "../testing/envelopes.ts";
import { createUser } from "../testing/factories.ts";
import {
  bringLive,
  createLiveSite,
  deploy,
  filesIn,
  type LiveSite,
  listed,
  post,
  queued,
  readDeploy,
  removeOld,
  siteZip,
  uploadTo,
  visit,
} from "./testing/deploys.ts";
import { run } from "./testing/sales.ts";
import { order } from "./testing/sites.ts";
import { tarOf, tgzOf } from "./testing/tars.ts";
import { createSite, smallZip, upload } from "./testing/uploads.ts";
import { zipOf } from "./testing/zips.ts";

const text = new TextEncoder();
const refused = (status: number, words: string) => ({
  status,
  body: failureBody("hosting", status, words),
});

const statusesOf = async (site: LiveSite) =>
  (await listed(site)).releases.map(({ status }: { status: string }) => status);

describe("POST /api/website/deploy", () => {
  it("brings the archive's files before visitors, in the contract's words", async () => {
    const site = await createLiveSite();
    const fileUploadId = await uploadTo(site, siteZip("Rilis satu"));
    const answer = await deploy(site, fileUploadId);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        success: true,
        message: "Website berhasil di-deploy",
        pending: false,
        jobId: null,
        deploy: {
          websiteId: site.id,
          fileUploadId,
          kind: "deploy",
          status: "SUCCESS",
          progress: 100,
          error: null,
        },
      },
    });
    expect(await visit(site)).toEqual({ status: 200, body: "<h1>Rilis satu</h1>" });
    expect(await visit(site, "css/situs.css")).toMatchObject({ status: 200 });
    expect(await statusesOf(site)).toEqual(["LIVE"]);
  });

  it.each([
    ["TAR.GZ", (words: string) => tgzOf([{ name: "index.html", data: text.encode(words) }])],
    ["TAR", (words: string) => tarOf([{ name: "index.html", data: text.encode(words) }])],
    [
      "ZIP of one folder, beside what macOS adds",
      (words: string) =>
        zipOf([
          { name: "situs-main/index.html", data: text.encode(words) },
          { name: "__MACOSX/._situs-main", data: text.encode("x") },
        ]),
    ],
  ])("serves what a %s holds", async (_, archive) => {
    const site = await createLiveSite();
    const answer = await deploy(site, await uploadTo(site, archive("Dari arsip")));
    expect(answer.body).toMatchObject({ success: true, pending: false });
    expect(await visit(site)).toEqual({ status: 200, body: "Dari arsip" });
  });

  it("leaves nothing on the server that only the deploy needed", async () => {
    const site = await createLiveSite();
    const { id } = await bringLive(site, "Rapi");
    const { folder } = await readDeploy(id);
    expect(await filesIn(site, folder)).toEqual(["css", "index.html", "kosong.txt"]);
    expect(await filesIn(site, "releases")).toEqual([folder.slice("releases/".length)]);
  });

  it("refuses in the contract's words", async () => {
    const { user, id } = await createSite();
    const site = { user, id, domain: "" };
    const missing = refused(400, "Website ID dan File Upload ID harus diisi");
    expect(await post(site, "deploy", {})).toMatchObject(missing);
    expect(await post(site, "deploy", { websiteId: id })).toMatchObject(missing);
    const nothing = { websiteId: null, fileUploadId: null };
    expect(await post(site, "deploy", nothing)).toMatchObject(missing);
    expect(await deploy(site, "x")).toMatchObject(refused(404, "File tidak ditemukan"));
    const file = (await upload(user, id, smallZip())).body.file.id;
    const second = await createSite(user);
    const other = await createUser();
    const noSite = refused(404, "Website tidak ditemukan");
    expect(await deploy({ ...site, id: second.id }, file)).toMatchObject(
      refused(404, "File tidak ditemukan"),
    );
    expect(await deploy({ ...site, user: other }, file)).toMatchObject(noSite);
    expect(await deploy({ ...site, id: crypto.randomUUID() }, file)).toMatchObject(noSite);
    expect(await deploy({ ...site, id: "1' or 1=1" }, file)).toMatchObject(noSite);
  });

  it.each([
    ["PENDING", "Website belum aktif"],
    ["SUSPENDED", "Website sedang ditangguhkan"],
  ])("refuses a website that is %s", async (status, words) => {
    const { user, id } = await createSite();
    const file = (await upload(user, id, smallZip())).body.file.id;
    const site = { user, id, domain: "" };
    await run(sql`update hosting_websites set status = ${status} where id = ${id}`);
    expect(await deploy(site, file)).toMatchObject(refused(409, words));
    expect((await listed(site)).deploys).toEqual([]);
  });

  it("is one at a time for a site: the same again is the same, another is refused", async () => {
    const site = await createLiveSite();
    const open = await queued(site, siteZip("Satu"));
    const [{ fileUploadId }] = (await listed(site)).deploys;
    expect(await deploy(site, fileUploadId)).toMatchObject({
      status: 200,
      body: { pending: true, jobId: open.jobId, deploy: { id: open.id, status: "QUEUED" } },
    });
    const second = await uploadTo(site, siteZip("Dua"));
    const answers = await Promise.all([deploy(site, second), deploy(site, second)]);
    for (const answer of answers) {
      expect(answer).toMatchObject(refused(409, "Deploy lain sedang berjalan untuk website ini"));
    }
  });

  it("made many times at once is one deploy", async () => {
    const site = await createLiveSite();
    const file = await uploadTo(site, siteZip("Serentak"));
    const answers = await Promise.all(Array.from({ length: 6 }, () => deploy(site, file)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const ids = new Set(answers.map(({ body }) => body.deploy.id));
    // A click that comes when the first has ended is a deploy of its own.
    expect((await listed(site)).deploys).toHaveLength(ids.size);
    expect((await statusesOf(site)).filter((status: string) => status === "LIVE")).toHaveLength(1);
  });
});

describe("a deploy that waits", () => {
  it("is shown to its owner with how far it is, and to nobody else", async () => {
    const site = await createLiveSite();
    const open = await queued(site, siteZip("Nanti"));
    const path = `/api/website/${site.id}/deploys/${open.id}`;
    const shown = await api(path, { token: site.user.token });
    expect(shown.body.deploy).toMatchObject({
      id: open.id,
      status: "QUEUED",
      step: "waiting",
      progress: 0,
      startedAt: null,
    });
    const other = await createUser();
    expect(await api(path, { token: other.token })).toMatchObject(
      refused(404, "Deploy tidak ditemukan"),
    );
    expect(await api(`/api/website/${site.id}/deploys`, { token: other.token })).toMatchObject(
      refused(404, "Website tidak ditemukan"),
    );
  });

  it("can be cancelled, twice, and another takes its place", async () => {
    const site = await createLiveSite();
    const open = await queued(site, siteZip("Batal"));
    const path = `${site.id}/deploys/${open.id}/cancel`;
    const other = { ...site, user: await createUser() };
    expect(await post(other, path, {})).toMatchObject(refused(404, "Deploy tidak ditemukan"));
    for (let n = 0; n < 2; n += 1) {
      expect((await post(site, path, {})).body.deploy).toMatchObject({ status: "CANCELLED" });
    }
    const { id } = await bringLive(site, "Jadi");
    expect(await post(site, `${site.id}/deploys/${id}/cancel`, {})).toMatchObject(
      refused(409, "Deploy sudah berjalan atau selesai"),
    );
    expect((await visit(site)).body).toBe("<h1>Jadi</h1>");
  });
});

describe("POST /api/website/:id/rollback", () => {
  it("serves the release before, and again the one that is named", async () => {
    const site = await createLiveSite();
    const first = await bringLive(site, "Lama");
    const second = await bringLive(site, "Baru");
    const back = await api(`/api/website/${site.id}/rollback`, {
      method: "POST",
      token: site.user.token,
    });
    expect(back).toMatchObject({
      status: 200,
      body: {
        message: "Website berhasil dikembalikan ke rilis sebelumnya",
        pending: false,
        deploy: { kind: "rollback", releaseId: first.releaseId },
      },
    });
    expect((await visit(site)).body).toBe("<h1>Lama</h1>");
    expect(await post(site, `${site.id}/rollback`, {})).toMatchObject(
      refused(409, "Belum ada rilis sebelumnya"),
    );
    const forth = await post(site, `${site.id}/rollback`, { releaseId: second.releaseId });
    expect(forth.body).toMatchObject({ pending: false });
    expect((await visit(site)).body).toBe("<h1>Baru</h1>");
    expect(await statusesOf(site)).toEqual(["LIVE", "READY"]);
  });

  it("brings back what visitors had before, never a release that a rollback took away", async () => {
    const site = await createLiveSite();
    await bringLive(site, "Baik");
    await bringLive(site, "Rusak 1");
    await post(site, `${site.id}/rollback`, {});
    await bringLive(site, "Rusak 2");
    expect((await post(site, `${site.id}/rollback`, {})).body).toMatchObject({ pending: false });
    expect((await visit(site)).body).toBe("<h1>Baik</h1>");
  });

  it("leads further back each time", async () => {
    const site = await createLiveSite();
    for (const words of ["1", "2", "3"]) await bringLive(site, words);
    for (const words of ["2", "1"]) {
      await post(site, `${site.id}/rollback`, {});
      expect((await visit(site)).body).toBe(`<h1>${words}</h1>`);
    }
  });

  it("refuses a release of another site, an unknown one, and a stranger", async () => {
    const site = await createLiveSite();
    await bringLive(site, "Satu-satunya");
    const other = await createLiveSite();
    const { releaseId } = await bringLive(other, "Lain");
    for (const wrong of [releaseId, crypto.randomUUID(), "x"]) {
      expect(await post(site, `${site.id}/rollback`, { releaseId: wrong })).toMatchObject(
        refused(404, "Rilis tidak ditemukan"),
      );
    }
    const stranger = { ...site, user: other.user };
    expect(await post(stranger, `${site.id}/rollback`, {})).toMatchObject(
      refused(404, "Website tidak ditemukan"),
    );
  });
});

describe("the releases of a site", () => {
  it("are the last three; the folders of older ones are removed", async () => {
    const site = await createLiveSite();
    const made: { id: string }[] = [];
    for (const words of ["1", "2", "3", "4", "5"]) made.push(await bringLive(site, words));
    expect(await statusesOf(site)).toEqual(["LIVE", "READY", "READY"]);
    const states = () => Promise.all(made.map(async ({ id }) => (await readDeploy(id)).release));
    await vi.waitFor(
      async () => {
        await removeOld(site);
        expect(await states()).toEqual(["removed", "removed", "ready", "ready", "live"]);
      },
      { timeout: 10_000, interval: 100 },
    );
    for (const { id } of made.slice(0, 2)) {
      const { folder } = await readDeploy(id);
      expect(await filesIn(site, folder)).toBeNull();
    }
    expect((await visit(site)).body).toBe("<h1>5</h1>");
    const oldest = (await listed(site)).releases.at(-1);
    const back = await post(site, `${site.id}/rollback`, { releaseId: oldest.id });
    expect(back.body).toMatchObject({ pending: false });
    expect((await visit(site)).body).toBe("<h1>3</h1>");
  });

  it("are not touched by a suspension that comes before the deploy", async () => {
    const site = await createLiveSite();
    await bringLive(site, "Tetap");
    const file = await uploadTo(site, siteZip("Terlambat"));
    await order(site.id, "suspend");
    expect(await deploy(site, file)).toMatchObject(refused(409, "Website sedang ditangguhkan"));
    expect(await statusesOf(site)).toEqual(["LIVE"]);
  });
});
