import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { agentDriver } from "../../workers/hosting/drivers/agent.ts";
import { agentLine } from "../../workers/hosting/drivers/agent-line.ts";
import { describeDriver, value } from "../../workers/hosting/drivers/test-behaviour.ts";
import { handlers as files } from "../files/index.ts";
import { directLink } from "../testing/link.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { needs } from "../testing/needs.ts";
import { handlers as sites } from "./handlers.ts";

/** A version 7 UUID, as websites have. */
function websiteId(): string {
  const [moment, chance] = [
    Date.now().toString(16).padStart(12, "0"),
    randomBytes(10).toString("hex"),
  ];
  const digits = `${moment}7${chance.slice(0, 3)}8${chance.slice(3, 18)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

needs(
  "nginx",
  "php-fpm",
  "root",
)("hosting's driver of a server with our agent", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await startMachine({ php: true });
  });
  afterAll(async () => await machine.stop());

  const driverOf = () => {
    const link = directLink(machine.ctx, { ...sites, ...files });
    const line = agentLine(link, () => new Date());
    return agentDriver(line, { email: "ops@lumbung.example", hasDatabases: false });
  };

  const newSite = (phpVersion: string | null = null) => {
    const tail = randomBytes(4).toString("hex");
    const domain = `toko-${tail}.web.id`;
    return {
      ...{ domain, root: `${machine.settings.sitesRoot}/${domain}`, aliases: [], phpVersion },
      ftp: { username: `toko_${tail}`, password: "rahasia12345" },
      ...{ database: null, note: `lumbung ${websiteId()}` },
    };
  };

  const live = async () => {
    const given = newSite();
    const driver = driverOf();
    const { site, ftpMade } = await value(driver.createSite(given));
    expect(ftpMade).toBe(true);
    return { driver, site, ftpUsername: given.ftp.username };
  };

  describeDriver(live, 256 * 1024);

  test("a site is made once, is known by its note, and its domain is no other's", async () => {
    const driver = driverOf();
    const given = newSite(machine.php?.version.replace(".", "") ?? null);
    const { site } = await value(driver.createSite(given));
    expect((await value(driver.createSite(given))).site).toEqual(site);
    expect(await value(driver.findSite(given.domain))).toMatchObject({
      ...{ ...site, note: given.note, running: true, lastDay: null },
    });
    const other = { ...newSite(), domain: given.domain };
    expect(await driver.createSite(other)).toMatchObject({ state: "refused", reason: "exists" });
  });
});
