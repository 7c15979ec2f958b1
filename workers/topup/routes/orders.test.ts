import { beforeAll, describe, expect, it } from "vitest";
import { settleBackground, type TestAnswer } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { type TestUser, unique } from "../../testing/factories.ts";
import { postOrder as post } from "../testing/calls.ts";
import { booksOf, ordersOf, purchasesOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const { diamonds, likes } = SERVICES;

describe("POST /api/orders/social-media", () => {
  const order = (
    user: TestUser,
    quantity: unknown,
    target = `https://instagram.com/${newPhone()}`,
  ) => post("social-media", user, { service: likes.code, target, quantity });

  it("is priced per thousand, rounded up to the rupiah", async () => {
    const user = await customer();
    const target = `@${newPhone()}`;
    await dial(target, { stay: true });
    const { body } = await order(user, 777, target);
    expect(body.data).toEqual({
      orderNumber: expect.stringMatching(/^SMO-\d{10}-[A-Z0-9]{5}$/),
      externalId: expect.stringMatching(/^VP/),
      status: "processing",
      service: likes.name,
      target,
      quantity: 777,
      totalPrice: Math.ceil((likes.price * 777) / 1000),
    });
  });

  it.each([
    [undefined, "Service, target, and quantity are required"],
    ["1000", "Service, target, and quantity are required"],
    [null, "Service, target, and quantity are required"],
    [0, "Quantity must be greater than 0"],
    [-5, "Quantity must be greater than 0"],
    [1.5, "Quantity must be a whole number"],
    [49, "Minimum order quantity is 50"],
    [50_001, "Maximum order quantity is 50000"],
    [2_000_000_000, "Maximum order quantity is 50000"],
    [1e15, "Maximum order quantity is 50000"],
    [1e30, "Maximum order quantity is 50000"],
  ])("refuses a quantity of %j", async (quantity, message) => {
    const user = await customer();
    const answer = await order(user, quantity);
    expect([answer.status, answer.body]).toEqual([400, failureBody("topup", 400, message)]);
  });

  describe("at a quoted amount", () => {
    const price = () => Math.ceil((likes.price * 777) / 1000);
    const quoted = (user: TestUser, amount: unknown, target: string, key?: string) =>
      post("social-media", user, { service: likes.code, target, quantity: 777, amount }, key);

    it("sells at that price", async () => {
      const user = await customer();
      const target = `@${newPhone()}`;
      await dial(target, { stay: true });
      const { status, body } = await quoted(user, price(), target);
      expect([status, body.data?.totalPrice]).toEqual([200, price()]);
    });

    it.each([
      [() => price() - 1, "Amount does not match the price of this service"],
      [() => likes.price, "Amount does not match the price of this service"],
      [() => 1.5, "amount"],
      [() => 0, "amount"],
      [() => String(price()), "amount"],
    ])("refuses %s, and takes nothing", async (amount, words) => {
      const user = await customer();
      const target = `@${newPhone()}`;
      const answer = await quoted(user, amount(), target);
      expect([answer.status, answer.body.message]).toEqual([400, expect.stringContaining(words)]);
      expect((await booksOf(user)).wallet).toBe(1_000_000);
      expect(await purchasesOf(target)).toEqual([]);
    });

    it("buys nothing where the catalogue changed since, and names the price that it has now", async () => {
      const user = await customer();
      const target = `@${newPhone()}`;
      const item = { ...likes, code: unique("9").replace(/\D/g, "").slice(0, 8), price: 5_000 };
      await shelve(item);
      const json = { service: item.code, target, quantity: 1_000, amount: 5_000 };
      await shelve({ ...item, price: 6_000 });
      const answer = await post("social-media", user, json);
      const words = "Amount does not match the price of this service (6000)";
      expect(answer.status).toBe(400);
      expect(answer.body).toEqual({ ...failureBody("topup", 400, words), amount: 6_000 });
      expect((await booksOf(user)).wallet).toBe(1_000_000);
      expect(await ordersOf(target)).toEqual([]);
    });

    it("is part of what a key stands for", async () => {
      const user = await customer();
      const target = `@${newPhone()}`;
      await dial(target, { stay: true });
      const key = unique("key-");
      const first = await quoted(user, price(), target, key);
      // Its record may still be on its way behind the answer.
      const again = await quoted(user, price(), target, key);
      expect(again.body.data.orderNumber).toBe(first.body.data.orderNumber);
      expect((await quoted(user, undefined, target, key)).status).toBe(422);
    });
  });

  it.each(["javascript:alert(1)", "dua kata", "ftp://example.com/x"])(
    "refuses the target %s",
    async (target) => {
      const answer = await order(await customer(), 100, target);
      expect([answer.status, answer.body.message]).toEqual([
        400,
        "Target must be a link or a username",
      ]);
    },
  );

  it.each([
    "https://tiktok.com/@x",
    "https://instagram.com.evil.example/p/1",
    "https://toko.example/",
  ])("refuses %s for a service of Instagram, and takes nothing", async (target) => {
    const user = await customer();
    const key = unique("key-");
    const json = { service: likes.code, target, quantity: 100 };
    const answer = await post("social-media", user, json, key);
    const words = "Target must be a link or a username on Instagram (instagram.com)";
    expect([answer.status, answer.body]).toEqual([400, failureBody("topup", 400, words)]);
    expect(await booksOf(user)).toEqual(await booksOf(await customer()));
    expect([await ordersOf(target), await purchasesOf(target)]).toEqual([[], []]);
    // The key is free for what was meant.
    const right = `@${newPhone()}`;
    await dial(right, { stay: true });
    expect((await post("social-media", user, { ...json, target: right }, key)).status).toBe(200);
  });

  it.each([
    () => `HTTPS://WWW.INSTAGRAM.COM:443/${newPhone()}`,
    () => `http://instagr.am/p/${newPhone()}`,
    () => `https://bit.ly/${newPhone()}`,
    () => `toko.${newPhone()}.com`,
  ])("takes %s for a service of Instagram", async (targetOf) => {
    const target = targetOf();
    await dial(target, { stay: true });
    const answer = await order(await customer(), 100, target);
    expect([answer.status, answer.body.data?.target]).toEqual([200, target]);
  });
});

describe("POST /api/orders/game and /process", () => {
  it("quotes, then pays and buys once", async () => {
    const user = await customer();
    const gameId = newPhone();
    await dial(gameId, { stay: true });
    const quote = await post("game", user, { service: diamonds.code, gameId, zone: "2611" });
    expect(quote.body).toEqual({
      success: true,
      data: {
        orderNumber: expect.stringMatching(/^ORD-GAME-\d{10}-[A-Z0-9]{5}$/),
        status: "pending",
        service: diamonds.name,
        gameId,
        zone: "2611",
        quantity: 1,
        amount: diamonds.price,
        expiresAt: expect.any(String),
      },
    });
    expect((await booksOf(user)).wallet).toBe(1_000_000);
    const { orderNumber } = quote.body.data;
    const paid = await post("process", user, { orderNumber });
    const [purchase] = await purchasesOf(gameId);
    expect([paid.status, paid.body]).toEqual([
      200,
      {
        success: true,
        message: "Order processed successfully",
        data: {
          orderNumber,
          status: "PROCESSING",
          results: [
            { product: diamonds.name, success: true, trxId: purchase?.trxid, status: "processing" },
          ],
        },
      },
    ]);
    const again = await post("process", user, { orderNumber });
    const words = "Order is not ready for processing";
    expect([again.status, again.body]).toEqual([400, failureBody("topup", 400, words)]);
  });

  it.each([
    ["letters for a player", { gameId: "abc def !!!" }, "Game ID is not an ID of Mobile Legends"],
    ["a player of one digit", { gameId: "0" }, "Game ID is not an ID of Mobile Legends"],
    ["letters for a zone", { zone: "xyz" }, "Zone is not a zone of Mobile Legends"],
    ["a zone of one digit", { zone: "0" }, "Zone is not a zone of Mobile Legends"],
  ])("refuses %s", async (_, wrong, words) => {
    const json = { service: diamonds.code, gameId: newPhone(), zone: "2611", ...wrong };
    const answer = await post("game", await customer(), json);
    expect([answer.status, answer.body.message]).toEqual([400, words]);
  });

  it.each([
    ["bought", { stay: true }],
    ["refused", { say: "Nomor salah." }],
  ])(
    "with a key answers the repeat of what was %s, and the key pays nothing else",
    async (_, supplier) => {
      const user = await customer();
      const gameId = newPhone();
      await dial(gameId, supplier);
      const quote = (id: string) =>
        post("game", user, { service: diamonds.code, gameId: id, zone: "2611" });
      const { orderNumber } = (await quote(gameId)).body.data;
      const key = unique("key-");
      const first = await post("process", user, { orderNumber }, key);
      await settleBackground();
      const books = await booksOf(user);
      const again = await post("process", user, { orderNumber }, key);
      expect([first.status, again.status, again.body]).toEqual([200, 200, first.body]);
      const other = (await quote(newPhone())).body.data.orderNumber;
      expect((await post("process", user, { orderNumber: other }, key)).status).toBe(422);
      expect(await booksOf(user)).toEqual(books);
    },
  );

  it("lets a user have fifty unpaid orders, from any number of requests at once, and no more", async () => {
    const user = await customer();
    const quote = () =>
      post("game", user, { service: diamonds.code, gameId: newPhone(), zone: "2611" });
    const answers = await Promise.all(Array.from({ length: 55 }, quote));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(5);
    expect(refused[0]?.body.message).toBe(
      'You may have at most 50 orders unpaid at a time. For more, ask an admin for the level "reseller"',
    );
    const paid = answers.find(({ status }) => status === 200)?.body.data.orderNumber;
    expect((await post("process", user, { orderNumber: paid })).status).toBe(200);
    expect((await quote()).status).toBe(200);
  });

  it("answers a refusal 200, and the money is back", async () => {
    const user = await customer();
    const gameId = newPhone();
    await dial(gameId, { say: "Nomor salah." });
    const { body } = await post("game", user, { service: diamonds.code, gameId, zone: "2611" });
    const paid = await post("process", user, { orderNumber: body.data.orderNumber });
    expect([paid.status, paid.body]).toMatchObject([
      200,
      {
        success: false,
        message: "Order processing completed with some failures",
        data: { status: "FAILED", results: [{ success: false, error: expect.any(String) }] },
      },
    ]);
    expect(await booksOf(user)).toEqual({ wallet: 1_000_000, escrow: 0 });
  });

  it("refuses what is incomplete, foreign, unpaid for or no longer at its price", async () => {
    const [user, poor, other] = [await customer(), await customer(0), await customer()];
    const json = { service: diamonds.code, gameId: newPhone(), zone: "2611" };
    const said = async (answer: Promise<TestAnswer>) => {
      const { status, body } = await answer;
      return [status, body.message];
    };
    expect(await said(post("process", user, {}))).toEqual([400, "Order number is required"]);
    expect(await said(post("game", user, { service: diamonds.code }))).toEqual([
      400,
      "Service and game ID are required",
    ]);
    for (const zone of [null, "", "  "]) {
      expect(await said(post("game", user, { ...json, zone }))).toEqual([
        400,
        "Zone is required for this service",
      ]);
    }
    const voucher = { service: SERVICES.voucher.code, gameId: newPhone(), zone: "" };
    expect((await post("game", user, voucher)).body.data).toMatchObject({ zone: null });
    const two = post("game", user, { ...json, quantity: 2 });
    expect(await said(two)).toEqual([400, "Maximum order quantity is 1"]);

    const mine = (await post("game", user, json)).body.data.orderNumber;
    expect(await said(post("process", other, { orderNumber: mine }))).toEqual([
      404,
      "Order not found",
    ]);
    const theirs = (await post("game", poor, { ...json, gameId: newPhone() })).body.data
      .orderNumber;
    expect(await said(post("process", poor, { orderNumber: theirs }))).toEqual([
      400,
      "Payment not completed",
    ]);
    await shelve({ ...diamonds, price: diamonds.price + 1000 });
    const dearer = await post("process", user, { orderNumber: mine });
    const amount = diamonds.price + 1000;
    const words = `The price of this service has changed to ${amount}. Please order again.`;
    expect(dearer.status).toBe(409);
    expect(dearer.body).toEqual({ ...failureBody("topup", 409, words), amount });
    await shelve(diamonds);
    expect((await booksOf(user)).wallet).toBe(1_000_000);
  });
});
