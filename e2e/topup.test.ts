import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { eventually, type Platform, startPlatform } from "./platform.ts";
import {
  fillCatalogue,
  newLink,
  numberOf,
  openPanel,
  type Panel,
  type PanelService,
  type PanelStatus,
} from "./topup.ts";
import { supplierSilentAndWorkerKilled } from "./topup-kills.ts";

/** A reseller's panel against the production bundle and the supplier's twin: plain form posts, as panels make them. */
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
  await fillCatalogue(platform);
}, 240_000);

afterAll(async () => {
  await platform?.stop();
});

const DEPOSIT = 1_000_000;

function tellOnFailure(): void {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
}

/** The status of one order once it is what the panel waits for. */
async function statusWhen(panel: Panel, order: number, wanted: string): Promise<PanelStatus> {
  let last: PanelStatus | undefined;
  await eventually(`order ${order} is ${wanted}`, async () => {
    last = await panel.post<PanelStatus>({ action: "status", order });
    return last.status === wanted;
  });
  if (!last) throw new Error("no status");
  return last;
}

test("a plain form client of the SMM panel dialect lists, buys, follows and pays each order once", async () => {
  tellOnFailure();
  const panel = await openPanel(platform, DEPOSIT);
  expect(await panel.post({ action: "balance" })).toEqual({
    balance: String(DEPOSIT),
    currency: "IDR",
  });
  const services = await panel.post<PanelService[]>({ action: "services" });
  const followers = services.find(({ name }) => name === "Instagram Followers Indonesia");
  expect(followers).toMatchObject({ type: "Default", min: "50", max: "10000" });
  const service = followers?.service ?? 0;

  const link = newLink.post();
  const social = await panel.post<{ order: number }>({
    action: "add",
    service,
    link,
    quantity: 500,
  });
  const credit = await panel.post<{ order: number }>({
    action: "add",
    service: await numberOf(panel, "TELKOMSEL 10.000"),
    link: newLink.phone(),
  });
  const diamonds = await panel.post<{ order: number }>({
    action: "add",
    service: await numberOf(panel, "86 Diamonds"),
    link: newLink.player(),
  });
  const orders = [social, credit, diamonds].map(({ order }) => order);
  expect(orders).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
  for (const order of orders) await statusWhen(panel, order, "Completed");

  const many = await panel.post<Record<string, PanelStatus>>({
    action: "status",
    orders: [...orders, 999_999].join(","),
  });
  const rate = Number(followers?.rate);
  expect(many[social.order]).toMatchObject({
    status: "Completed",
    charge: String(Math.ceil((rate * 500) / 1000)),
    remains: "0",
    currency: "IDR",
  });
  expect(many[credit.order]).toMatchObject({ sn: expect.stringContaining("SN") });
  expect(many[999_999]).toEqual({ error: "Incorrect order ID" });
  const spent = orders.reduce((sum, order) => sum + Number(many[order]?.charge), 0);
  expect(await panel.post({ action: "balance" })).toEqual({
    balance: String(DEPOSIT - spent),
    currency: "IDR",
  });
  const sold = [...platform.twins.vipReseller.state.orders.values()];
  expect(sold.filter(({ target }) => target === link)).toHaveLength(1);
}, 240_000);

test("what the supplier cannot do, and what is wrong, is told in the dialect's words and costs nothing", async () => {
  tellOnFailure();
  const panel = await openPanel(platform, 20_000);
  const service = await numberOf(panel, "Instagram Likes Indonesia");
  const link = newLink.post();
  const add = (fields: object) => panel.post({ action: "add", service, link, ...fields });
  const { order } = await panel.post<{ order: number }>({
    action: "add",
    service,
    link,
    quantity: 100,
  });
  const { balance } = await panel.post({ action: "balance" });
  expect(await panel.post({ action: "cancel", order })).toEqual({
    error: "Cancel is not available",
  });
  expect(await panel.post({ action: "cancel", orders: `${order},999999` })).toEqual([
    { order, cancel: { error: "Cancel is not available" } },
    { order: 999_999, cancel: { error: "Incorrect order ID" } },
  ]);
  expect(await panel.post({ action: "refill", order })).toEqual({
    error: "Refill is not available",
  });
  expect(await add({ quantity: 100 })).toEqual({ error: "neworder.error.link_duplicate" });
  expect(await add({ quantity: 19 })).toEqual({ error: "neworder.error.min_quantity" });
  expect(await add({ quantity: 20_001 })).toEqual({ error: "neworder.error.max_quantity" });
  expect(await add({ quantity: 10_000, link: newLink.post() })).toEqual({
    error: "neworder.error.not_enough_funds",
  });
  expect(await panel.post({ action: "add", service: 999_999, link, quantity: 100 })).toEqual({
    error: "Incorrect service ID",
  });
  expect(await panel.post({ action: "fly" })).toEqual({ error: "Incorrect request" });
  expect(await panel.post({ action: "balance" })).toEqual({ balance, currency: "IDR" });
  await statusWhen(panel, order, "Completed");
}, 240_000);

test("a supplier that takes orders without answering, and a Worker killed amid them, leave each order bought once or refunded", async () => {
  tellOnFailure();
  const seed = Math.floor(Math.random() * 1e6);
  onTestFailed(() => console.error(`seed ${seed}`));
  const panel = await openPanel(platform, DEPOSIT);
  const report = await supplierSilentAndWorkerKilled(platform, panel, {
    orders: 18,
    atOnce: 6,
    kills: 3,
    seed,
  });
  expect(report.kills).toBe(3);
  expect(report.doubted).toBeGreaterThan(0);
  expect(report.purchases).toBeGreaterThan(0);
}, 240_000);
