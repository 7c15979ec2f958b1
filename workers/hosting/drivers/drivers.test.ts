import { describe, expect, test } from "vitest";
import { api } from "../../testing/api.ts";
import { callsOf, dial, newDomain, onPanel, siteOn, subscribe } from "../testing/sites.ts";
import { probe } from "./probe.ts";
import { describeDriver, sizeOf, sourceOf, textSource, value } from "./test-behaviour.ts";

/** A site of its own on the panel's twin, with its driver. */
async function live() {
  const { user, id: subscriptionId } = await subscribe();
  const json = { subscriptionId, domain: newDomain() };
  const made = await api("/api/website/create", { method: "POST", token: user.token, json });
  return await siteOn(made.body.website.id);
}

const MEGABYTE = 1024 * 1024;

describeDriver(live, 2 * MEGABYTE);

describe("an upload to a panel", () => {
  test.each([
    ["loses an answer", { down: { acts: true, count: 1 } }],
    ["answers with a page", { rubbish: { count: 1 } }],
    ["is busy", { refuse: { count: 1 } }],
    ["stores half a piece", { shortChunk: { count: 1 } }],
  ])("that %s arrives whole all the same", async (_, fault) => {
    const { driver, site } = await live();
    const size = 2 * MEGABYTE + 9;
    await dial(site.domain, "shortChunk" in fault ? fault : { path: "upload", ...fault });
    const { source } = sourceOf(size);
    await value(driver.uploadFile(site, { path: "c.bin", source }));
    expect(await sizeOf(driver, site, "c.bin")).toBe(size);
  });

  test("that is not a path of the site sends nothing", async () => {
    const { driver, site } = await live();
    await driver.uploadFile(site, { path: "../a.txt", source: textSource("x") });
    expect(await callsOf(site.domain, "upload")).toEqual([]);
  });
});

test("the panel's site runs from the folder that was switched to", async () => {
  const { driver, site } = await live();
  await value(driver.makeDirectory(site, "r1"));
  await value(driver.setDocumentRoot(site, "r1"));
  expect(await onPanel(site.domain)).toMatchObject({ runPath: "/r1" });
});

test("a visitor of a server that is away is in doubt", async () => {
  const { site } = await live();
  expect(await probe("127.0.0.1:9", site.domain, "")).toMatchObject({ state: "unknown" });
});
