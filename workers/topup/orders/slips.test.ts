import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  follow,
  forgetCallbacks,
  giveWord,
  lookLong,
  ofUser,
  only,
  tell,
} from "../testing/answers.ts";
import { BOUGHT, FUNDS, NOT_BOUGHT, orderCredit, orderGame } from "../testing/doubts.ts";
import { booksOf, theOrderOf } from "../testing/outcomes.ts";
import { newPhone, SERVICES, shownName, stockShelves } from "../testing/shop.ts";

// What a test bought ahead of the time is newer than the next one's orders no more.
beforeEach(stockShelves);
afterEach(forgetCallbacks);

const { credit, diamonds, fire } = SERVICES;
const MINUTE = 60_000;

describe("a person's wrong word of one order pays back no other one by itself", () => {
  it.each(["success", "partial"] as const)(
    "the id of another number's purchase: %s",
    async (as) => {
      const { order } = await orderCredit({ fault: BOUGHT });
      const { user, order: owner } = await orderCredit({ fault: BOUGHT });
      await giveWord(order, as, { trxid: await only(owner.target), remain: 1 });
      await lookLong(owner);
      expect(await theOrderOf(owner.target)).toMatchObject({ state: "review", trxid: null });
      expect(await booksOf(user)).toMatchObject({ escrow: owner.amount });
      // His second word ends it.
      await giveWord(owner, "refunded");
      expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
    },
  );

  it("the same, where the answer to that one comes later", async () => {
    const { order } = await orderCredit({ fault: BOUGHT });
    const { user, order: owner } = await orderCredit({ fault: BOUGHT });
    const trxid = await only(owner.target);
    await giveWord(order, "success", { trxid });
    await tell(owner, trxid, { target: owner.target, code: credit.code });
    await lookLong(owner);
    expect(await theOrderOf(owner.target)).toMatchObject({ state: "review" });
    expect(await booksOf(user)).toMatchObject({ escrow: owner.amount });
  });

  it("that what its answer named was delivered, though it is his other order's", async () => {
    const target = newPhone();
    const { user, order: owner } = await orderGame(fire, { target, fault: BOUGHT });
    const trxid = await only(target);
    const { order } = await orderGame(diamonds, { target, zone: "2001", fault: BOUGHT });
    await tell(order, trxid, { target, service: shownName(fire) });
    await giveWord(order, "success");
    await lookLong(owner);
    expect(await ofUser(owner)).toMatchObject({ state: "review", trxid: null });
    expect(await booksOf(user)).toMatchObject({ escrow: owner.amount });
  });

  it.each(["success", "refunded"] as const)(
    "the id of a purchase that the supplier writes for a third number: %s",
    async (as) => {
      const third = newPhone();
      const { user, order: owner } = await orderCredit();
      const twist = (text: string) => text.replaceAll(owner.target, third);
      await follow(MINUTE, twist);
      const { order } = await orderCredit({ fault: NOT_BOUGHT });
      await giveWord(order, as, { trxid: await only(owner.target) });
      expect(await theOrderOf(owner.target)).toMatchObject({ state: "unknown", trxid: null });
      await lookLong(owner, twist);
      expect(await theOrderOf(owner.target)).toMatchObject({ state: "review" });
      expect(await booksOf(user)).toMatchObject({ escrow: owner.amount });
    },
  );
});
