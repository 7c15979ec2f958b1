import { beforeAll, expect, test } from "vitest";
import { randomFrom } from "../../shared/payments/test-payments.ts";
import { testContext } from "../testing/api.ts";
import { unique } from "../testing/factories.ts";
import { type GiftOrder, type GiftResult, sendGifts } from "./gifts.ts";
import { booksOf, coinsOf, createGiver, shareOf } from "./test-gifts.ts";

/** The catalogue once more, written apart from the Worker's own: scene/id -> price and the host's percent. */
const PRICES: Record<string, [number, number]> = {
  "live/cute": [100, 10],
  "live/maxi": [250, 10],
  "live/sweetheart": [200, 10],
  "live/burger": [2_999, 50],
  "party/cute": [50, 10],
  "party/heart": [120, 50],
};
const GIFTS = [...Object.keys(PRICES), "live/heart", "party/emas"];

interface Known {
  order: GiftOrder;
  income: number;
}

/** What the whole of gifts should do, one order after the other, in a dozen lines. */
class Model {
  readonly balances = new Map<number, number>();
  readonly shares = new Map<number, number>();
  readonly known = new Map<string, Known>();

  give(order: GiftOrder): string {
    const { senderId, receiverId, quantity } = order;
    if (!Number.isSafeInteger(quantity) || quantity < 1 || quantity > 999) return "invalid_input";
    const key = `${senderId} ${order.key}`;
    const earlier = this.known.get(key);
    if (earlier) return sameInput(earlier.order, order) ? `again ${earlier.income}` : "mismatch";
    const receiver = this.balances.get(receiverId);
    if (senderId === receiverId) return "invalid_input";
    const price = PRICES[`${order.scene}/${order.giftId}`];
    if (receiver === undefined || !price) return "not_found";
    if (order.coinValue != null && order.coinValue !== price[0]) return "invalid_input";
    const cost = price[0] * quantity;
    const balance = this.balances.get(senderId) ?? 0;
    if (balance < cost) return `short ${cost} ${balance}`;
    const income = Math.floor((cost * price[1]) / 100);
    this.balances.set(senderId, balance - cost);
    this.balances.set(receiverId, receiver + income);
    this.shares.set(receiverId, (this.shares.get(receiverId) ?? 0) + cost - income);
    this.known.set(key, { order, income });
    return `sent ${income} ${balance - cost}`;
  }
}

const sameInput = (a: GiftOrder, b: GiftOrder) =>
  a.receiverId === b.receiverId &&
  a.giftId === b.giftId &&
  a.scene === b.scene &&
  a.quantity === b.quantity &&
  a.roomId === b.roomId;

function wordsOf(result: GiftResult | undefined): string {
  if (!result) return "no answer";
  if (result.state === "sent") {
    if (result.repeated) return `again ${result.hostIncome}`;
    return `sent ${result.hostIncome} ${result.senderBalance}`;
  }
  const { needed, current } = result.meta;
  if (result.code === "insufficient_balance") return `short ${needed} ${current}`;
  return result.code === "idempotency_mismatch" ? "mismatch" : result.code;
}

let people: number[];
beforeAll(async () => {
  const givers = await Promise.all(
    [0, 100, 5_000, 20_000, 60_000].map((coins) => createGiver(coins)),
  );
  people = givers.map(({ userId }) => userId);
});

test("any row of orders does what the model says, gift by gift and coin by coin", async () => {
  const random = randomFrom(20_261_121);
  const model = new Model();
  for (const id of people) model.balances.set(id, await coinsOf(id));
  const keys = Array.from({ length: 400 }, () => unique("k"));
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const order = (): GiftOrder => {
    const [scene, giftId] = pick(GIFTS).split("/") as ["live" | "party", string];
    return {
      key: pick(keys),
      senderId: pick(people),
      receiverId: random(25) === 0 ? 7 : pick(people),
      giftId,
      scene,
      quantity: random(20) === 0 ? pick([0, -3, 1.5, 1_000]) : 1 + random(5),
      roomId: pick([null, "chatme-live"]),
      coinValue: random(15) === 0 ? pick([1, 50, 100]) : null,
    };
  };
  const asked: GiftOrder[] = [];
  const seen = new Map<string, number>();
  for (let round = 0; round < 60; round += 1) {
    const orders = Array.from({ length: 1 + random(30) }, () =>
      asked.length > 0 && random(6) === 0 ? pick(asked) : order(),
    );
    asked.push(...orders);
    const results = await sendGifts(testContext(), orders);
    const told = results.map(wordsOf);
    expect(told, `round ${round}`).toEqual(orders.map((one) => model.give(one)));
    for (const words of told) {
      const [word = ""] = words.split(" ");
      seen.set(word, (seen.get(word) ?? 0) + 1);
    }
  }
  for (const word of ["sent", "again", "mismatch", "short", "invalid_input", "not_found"]) {
    expect(seen.get(word) ?? 0, `the walk met ${word}`).toBeGreaterThan(5);
  }
  for (const id of people) {
    expect(await coinsOf(id)).toBe(model.balances.get(id));
    expect(await shareOf(id)).toBe(model.shares.get(id) ?? 0);
  }
  expect(await booksOf(people)).toMatchObject({ coins: 0, wrong: [] });
});
