import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { retryOrder } from "../admin/retry.ts";
import { bench } from "../testing/bench.ts";
import { confirmedRetry } from "../testing/desk.ts";
import {
  booksOf,
  ordersOf,
  purchasesOf,
  runOrderJob,
  sumOfLedger,
  theOrderOf,
} from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";
import { placeGame, placePrepaid } from "./place.ts";
import { processOrder } from "./process.ts";

const FUNDS = 100_000;
const { credit, diamonds } = SERVICES;
const OTHER = "12 Diamonds";
beforeAll(stockShelves);
afterEach(async () => {
  await shelve(diamonds);
  await shelve(credit);
});

/** The supplier gives a code to other goods, at the same price. */
const rename = (service: typeof credit, name = OTHER) => shelve({ ...service, name });

async function expectNothingBought(user: TestUser, target: string): Promise<void> {
  expect(await purchasesOf(target)).toEqual([]);
  expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  expect(await sumOfLedger()).toBe(0);
}

describe("a service whose code has become something else's, at the same price", () => {
  it("is not what an order that was told of the old one pays for", async () => {
    const actor = await customer(FUNDS);
    const target = newPhone();
    const { ctx, settle } = bench({ actor, timeoutMs: 3_000 });
    const { number } = await placeGame(ctx, {
      service: diamonds.code,
      gameId: target,
      zone: "2611",
    });
    await rename(diamonds);
    await expect(processOrder(ctx, { orderNumber: number })).rejects.toMatchObject({
      code: "changed",
      message: `This service is now ${OTHER}. Please order again.`,
    });
    await settle();
    await expectNothingBought(actor, target);

    // Written otherwise it is the same.
    await rename(diamonds, `${diamonds.name.toUpperCase().replaceAll(" ", "  ")} `);
    expect(await processOrder(ctx, { orderNumber: number })).toMatchObject({ refusal: null });
    await settle();
    expect(await purchasesOf(target)).toHaveLength(1);
  });

  it("is not bought for an order that waits for its turn: its money goes back", async () => {
    const actor = await customer(FUNDS);
    const target = newPhone();
    const nothing = { kind: "unavailable", retryable: true, outcome: "not_done" } as const;
    const pace = async () => {
      throw new ProviderError("vip-reseller", { ...nothing, code: "busy" }, "no turn");
    };
    const { ctx, settle } = bench({ actor, pace });
    await placePrepaid(ctx, { service: credit.code, phoneNumber: target });
    await settle();
    const order = await theOrderOf(target);
    expect(order.state).toBe("queued");
    await rename(credit);
    await runOrderJob(order, { laterMs: 60_000 });
    const { state, notes } = await theOrderOf(target);
    expect([state, notes]).toEqual(["failed", "The service has changed"]);
    await expectNothingBought(actor, target);
  });

  it("is not what an admin places again", async () => {
    const actor = await customer(FUNDS);
    const target = newPhone();
    await dial(target, { say: { value: "Layanan tidak ditemukan.", count: 1 } });
    const { ctx, settle } = bench({ actor, timeoutMs: 3_000 });
    await placePrepaid(ctx, { service: credit.code, phoneNumber: target }).catch(() => null);
    await settle();
    await rename(credit);
    const admin = await createUser(["admin"]);
    const work = await confirmedRetry(admin, await theOrderOf(target));
    await expect(
      retryOrder(bench({ actor: admin, timeoutMs: 3_000 }).ctx, work),
    ).rejects.toMatchObject({ code: "conflict", message: `This service is now ${OTHER}` });
    expect(await ordersOf(target)).toHaveLength(1);
    await expectNothingBought(actor, target);
  });
});
