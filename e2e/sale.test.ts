import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import type { Tell } from "../local/demo/narrator.ts";
import { makeSale } from "../local/demo/sale/sale.ts";
import { type Platform, startPlatform } from "./platform.ts";

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 240_000);

afterAll(async () => {
  await platform?.stop();
});

test("a sale goes from the seller's registration to his money, and a second one after it", async () => {
  onTestFailed(() => console.error(platform.workerLog().slice(-4_000)));
  const first = await steps();
  const second = await steps();
  expect(first.slice(0, 2)).toEqual([
    "Seller registered and signed in",
    'Store "Wafero Blitar" is open',
  ]);
  expect(second[0]).toBe("Seller signed in again");
  expect(second.slice(1)).toEqual(first.slice(1));
}, 240_000);

/** What the demo tells of one sale, without what differs from one to the next. */
async function steps(): Promise<string[]> {
  const told: string[] = [];
  const tell: Tell = {
    ...platform,
    step: (what) => told.push(what),
    end: (number) => told.push(number),
  };
  await makeSale(tell);
  return told.map((line) =>
    line.replace(/\bTB\w{12}\b|[\w-]+@[\w.]+|\d\d:\d\d:\d\d|HEMAT\w+/g, "…"),
  );
}
