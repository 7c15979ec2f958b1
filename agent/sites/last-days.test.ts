import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { settingsSchema } from "../settings.ts";
import { needs } from "../testing/needs.ts";
import { pastLastDay } from "./last-days.ts";
import { recordIn, type SiteRecord } from "./record.ts";
import { renderUnit } from "./unit.ts";
import { renderVhost } from "./vhost.ts";

const settings = settingsSchema.parse({ url: "http://127.0.0.1:1", serverId: "srv_test" });

const record: SiteRecord = {
  ...{ v: 1, siteId: "site_1_0123456789ab", domain: "toko.example", aliases: ["www.toko.example"] },
  ...{ rootPath: "/var/www/toko", documentRoot: "", runtime: "node", phpVersion: null },
  ...{ entry: null, unixUser: "toko", suspended: false, certificate: null },
  ...{ note: "lumbung 1", lastDay: "2027-01-31" },
};

test("a site is served to the end of its last day in Jakarta", () => {
  const past = (iso: string, changes: Partial<SiteRecord> = {}) =>
    pastLastDay([{ ...record, ...changes }], new Date(iso)).length;
  expect(past("2027-01-31T16:59:59Z")).toBe(0);
  expect(past("2027-01-31T17:00:00Z")).toBe(1);
  expect(past("2027-02-10T00:00:00Z", { suspended: true })).toBe(0);
  expect(past("2027-02-10T00:00:00Z", { lastDay: null })).toBe(0);
});

test("a site's record is read back from its own configuration, and from nothing else", () => {
  const { text } = renderVhost(settings, record);
  expect(recordIn(text)).toEqual(record);
  expect(renderVhost(settings, record).text).toBe(text);
  for (const other of ["", "server {}", `\n${text}`, text.replace('"v":1', '"v":2')]) {
    expect(recordIn(other)).toBeNull();
  }
});

test("a site's marker changes with everything that is served", () => {
  const markers = [
    record,
    { ...record, suspended: true },
    { ...record, documentRoot: "r2" },
    { ...record, aliases: [] },
    { ...record, runtime: "static" as const },
  ].map((one) => renderVhost(settings, one).marker);
  expect(new Set(markers).size).toBe(markers.length);
});

needs("systemd-analyze")("a site's unit", () => {
  test("is one that systemd itself finds right", () => {
    const dir = mkdtempSync(join(tmpdir(), "unit-"));
    try {
      const file = join(dir, "nusantara-toko.service");
      // The entry of this test's site has to be there for systemd.
      const text = renderUnit(settings, record)
        .replace(/^(User|Group)=.*$/gm, "$1=www-data")
        .replace("/var/www/toko/server.js", "/dev/null");
      writeFileSync(file, text);
      const said = execFileSync("systemd-analyze", ["verify", "--man=no", file], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      expect(said).toBe("");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
