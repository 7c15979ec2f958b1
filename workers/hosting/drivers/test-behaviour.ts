import { describe, expect, test } from "vitest";
import type { ByteSource, HostDriver, HostResult, SiteRef } from "./driver.ts";

/** A live site of its own, and its driver. */
export interface LiveSite {
  driver: HostDriver;
  site: SiteRef;
  ftpUsername: string;
}

export async function value<T>(result: Promise<HostResult<T>>): Promise<T> {
  const found = await result;
  if (found.state !== "done") throw new Error(`${found.state}: ${found.detail}`);
  return found.value;
}

/** Bytes made as they are read; remembers which pieces were asked for. */
export function sourceOf(size: number, byte = (at: number) => (at * 7 + (at >> 8)) & 0xff) {
  const read: [number, number][] = [];
  const source: ByteSource = {
    size,
    async read(start, length) {
      read.push([start, length]);
      return Uint8Array.from({ length }, (_, offset) => byte(start + offset));
    },
  };
  return { source, read };
}

export const textSource = (text: string): ByteSource => {
  const bytes = new TextEncoder().encode(text);
  return { size: bytes.length, read: async (start, length) => bytes.slice(start, start + length) };
};

export const sizeOf = async (driver: HostDriver, site: SiteRef, name: string) =>
  (await value(driver.listDirectory(site, ""))).find((entry) => entry.name === name)?.size;

/** What every driver does, whoever runs its server. `chunk`: the bytes of its pieces. */
export function describeDriver(live: () => Promise<LiveSite>, chunk: number): void {
  describe("an upload", () => {
    test("goes piece by piece, never more than a piece at once", async () => {
      const { driver, site } = await live();
      const size = 2 * chunk + 17;
      const { source, read } = sourceOf(size);
      const progress: number[] = [];
      await value(
        driver.uploadFile(site, {
          path: "a.bin",
          source,
          onProgress: async (sent) => progress.push(sent) > 0,
        }),
      );
      expect(read).toEqual([
        [0, chunk],
        [chunk, chunk],
        [2 * chunk, 17],
      ]);
      expect(progress).toEqual([chunk, 2 * chunk]);
      expect(await sizeOf(driver, site, "a.bin")).toBe(size);
    });

    test("that was stopped goes on where the server stands", async () => {
      const { driver, site } = await live();
      const size = 2 * chunk + 1;
      const first = await driver.uploadFile(site, {
        path: "b.bin",
        source: sourceOf(size).source,
        onProgress: async () => false,
      });
      expect(first).toMatchObject({ state: "refused", reason: "stopped" });
      const { source, read } = sourceOf(size);
      await value(driver.uploadFile(site, { path: "b.bin", source }));
      expect(read.map(([start]) => start)).toEqual([0, chunk, 2 * chunk]);
      expect(await sizeOf(driver, site, "b.bin")).toBe(size);
    });

    test("of nothing, out of the site or over it is refused", async () => {
      const { driver, site } = await live();
      const upload = (path: string, source = textSource("x")) =>
        driver.uploadFile(site, { path, source });
      expect(await upload("a.txt", textSource(""))).toMatchObject({ state: "refused" });
      for (const path of ["../a.txt", "a/../../b", "a//b", "a;b", "/etc/passwd", "a\nb"]) {
        expect(await upload(path)).toMatchObject({ state: "refused", reason: "invalid" });
      }
    });
  });

  describe("folders", () => {
    test("are made, listed, moved and removed, each as often as one likes", async () => {
      const { driver, site } = await live();
      for (const _ of [1, 2]) await value(driver.makeDirectory(site, "releases"));
      await value(driver.makeDirectory(site, "releases/1"));
      const note = { path: "releases/1/a.txt", source: textSource("halo") };
      await value(driver.uploadFile(site, note));
      expect(await value(driver.listDirectory(site, "releases/1"))).toEqual([
        { name: "a.txt", kind: "file", size: 4 },
      ]);
      await value(driver.setPermissions(site, "releases/1", "755"));
      await value(driver.move(site, "releases/1", "releases/2"));
      const gone = { state: "refused", reason: "not_found" };
      expect(await driver.listDirectory(site, "releases/1")).toMatchObject(gone);
      for (const _ of [1, 2]) await value(driver.removeFile(site, "releases/2/a.txt"));
      for (const _ of [1, 2]) await value(driver.removeDirectory(site, "releases/2"));
      expect(await value(driver.listDirectory(site, "releases"))).toEqual([]);
      expect(await driver.removeDirectory(site, "")).toMatchObject({ state: "refused" });
    });
  });

  describe("a visitor", () => {
    test("gets the folder that was switched to, and nothing of a stopped site", async () => {
      const { driver, site } = await live();
      await value(driver.makeDirectory(site, "r1"));
      const page = { path: "r1/index.html", source: textSource("versi 1") };
      await value(driver.uploadFile(site, page));
      await value(driver.setDocumentRoot(site, "r1"));
      expect(await value(driver.probe(site, ""))).toMatchObject({ status: 200, body: "versi 1" });
      expect(await value(driver.probe(site, "none.html"))).toMatchObject({ status: 404 });
      await value(driver.setDocumentRoot(site, ""));
      expect((await value(driver.probe(site, ""))).body).not.toContain("versi 1");
      await value(driver.setDocumentRoot(site, "r1"));
      await value(driver.stopSite(site));
      expect((await value(driver.probe(site, ""))).body).not.toContain("versi 1");
      expect(await value(driver.findSite(site.domain))).toMatchObject({ ...site, running: false });
      await value(driver.startSite(site));
      expect(await value(driver.findSite(site.domain))).toMatchObject({ ...site, running: true });
    });
  });

  describe("a last day", () => {
    test("is set and taken away", async () => {
      const { driver, site } = await live();
      await value(driver.setLastDay(site, "2027-01-31"));
      expect(await value(driver.findSite(site.domain))).toMatchObject({ lastDay: "2027-01-31" });
      await value(driver.setLastDay(site, null));
      expect(await value(driver.findSite(site.domain))).toMatchObject({ lastDay: null });
    });
  });

  test("the password of an FTP account is changed, and the account switched off, on and removed", async () => {
    const { driver, ftpUsername } = await live();
    const find = async () => await value(driver.findFtp(ftpUsername));
    const account = await find();
    if (!account) throw new Error("no account");
    await value(driver.setFtpPassword(account, "barurahasia1"));
    await value(driver.setFtpEnabled(account, false));
    expect(await find()).toMatchObject({ enabled: false });
    await value(driver.setFtpEnabled(account, true));
    expect(await find()).toMatchObject({ enabled: true });
    await value(driver.removeFtp(account));
    expect(await find()).toBeNull();
  });

  test("a site that is deleted is gone, however often", async () => {
    const { driver, site } = await live();
    for (const _ of [1, 2]) await value(driver.deleteSite(site));
    expect(await value(driver.findSite(site.domain))).toBeNull();
  });
}
