import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { failureBody } from "../../testing/envelopes.ts";
import { unique } from "../../testing/factories.ts";
import { postOrder as post } from "../testing/calls.ts";
import { booksOf, ordersOf, purchasesOf, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";

beforeAll(stockShelves);

const { credit, diamonds, likes } = SERVICES;

describe("POST /api/orders/prepaid", () => {
  it("answers as the contract says, with the supplier's id", async () => {
    const user = await customer();
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const answer = await post("prepaid", user, { service: credit.code, phoneNumber });
    const [purchase] = await purchasesOf(phoneNumber);
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({
      success: true,
      message: expect.any(String),
      data: {
        orderNumber: expect.stringMatching(/^PRE-\d{10}-[A-Z0-9]{5}$/),
        externalId: purchase?.trxid,
        status: "processing",
        service: credit.name,
        phoneNumber,
        amount: credit.price,
      },
    });
  });

  it.each([
    [{}, "Service and phone number are required"],
    [{ service: "S10" }, "Service and phone number are required"],
    [{ service: "S10", phoneNumber: "" }, "Service and phone number are required"],
    [{ service: "S10", phoneNumber: 812 }, "Service and phone number are required"],
    [{ service: "S10", phoneNumber: "0812" }, "Phone number is not valid"],
    [{ service: "S10", phoneNumber: "085712345678" }, "Phone number is not a number of TELKOMSEL"],
    [
      { service: "PLN50", phoneNumber: "1234567890" },
      "Meter or customer number must be 11 or 12 digits",
    ],
    [
      { service: "S10", phoneNumber: "081234567890", amount: 1.5 },
      expect.stringContaining("amount"),
    ],
  ])("refuses %j", async (json, message) => {
    const user = await customer();
    const answer = await post("prepaid", user, json);
    expect([answer.status, answer.body]).toEqual([400, failureBody("topup", 400, message)]);
    expect((await booksOf(user)).wallet).toBe(1_000_000);
  });

  it("refuses a quoted amount that is not the price, and names the price", async () => {
    const user = await customer();
    const json = { service: credit.code, phoneNumber: newPhone(), amount: credit.price - 1 };
    const answer = await post("prepaid", user, json);
    const words = `Amount does not match the price of this service (${credit.price})`;
    expect(answer.status).toBe(400);
    const amount = credit.price;
    expect(answer.body).toEqual({ ...failureBody("topup", 400, words), amount });
    expect((await booksOf(user)).wallet).toBe(1_000_000);
  });

  it("sells only what is on the shelf", async () => {
    const user = await customer();
    const gone = { ...credit, code: "S-GONE" };
    await shelve(gone, { status: "gone" });
    const asleep = { ...credit, code: "S-ASLEEP" };
    const hour = (hours: number) =>
      new Date(Date.now() + (7 + hours) * 3_600_000).toISOString().slice(11, 16);
    await shelve(asleep, { maintenance: `${hour(-1)} - ${hour(1)}` });
    for (const service of ["S-NOT-THERE", gone.code, asleep.code, likes.code]) {
      const answer = await post("prepaid", user, { service, phoneNumber: newPhone() });
      expect([answer.status, answer.body.message]).toEqual([404, "Service not available"]);
    }
  });

  it.each(["+62 812-", "62812", "0812 "])("takes a number written as %s…", async (start) => {
    const user = await customer();
    const phone = newPhone();
    await dial(phone, { stay: true });
    const phoneNumber = `${start}${phone.slice(4)}`;
    const answer = await post("prepaid", user, { service: credit.code, phoneNumber });
    expect(answer.body.data).toMatchObject({ phoneNumber: phone });
  });

  it.each([
    ["TELKOMSEL", "0877", "0821 0822 0823 0851 0852 0853 0811 0812 0813"],
    ["by.U", "0812", "0851"],
    ["INDOSAT OOREDOO", "0817", "0814 0815 0816 0855 0856 0857 0858"],
    ["IM3", "0817", "0856"],
    ["XL AXIATA", "0812", "0817 0818 0819 0859 0877 0878"],
    ["AXIS", "0817", "0831 0832 0833 0838"],
    ["3 (Tri)", "0812", "0895 0896 0897 0898 0899"],
    ["Three", "0812", "0895"],
    ["GO PAY", "021", "0812 0895"],
    ["SMARTFREN", "0895", "0881 0882 0883 0884 0885 0886 0887 0888 0889"],
  ])("knows the numbers of %s, and that %s… is another's", async (brand, other, own) => {
    const isOf = async (start: string) => {
      const number = start.padEnd(12, "4");
      const query = sql`select ${number} ~ topup_operator_prefixes(${brand}) as yes`;
      const [found] = await testContext().db.run(rows(query, z.object({ yes: z.boolean() })));
      return found?.yes;
    };
    expect(await Promise.all([other, ...own.split(" ")].map(isOf))).toEqual([
      false,
      ...own.split(" ").map(() => true),
    ]);
  });

  it("moves no money of a wallet that does not hold enough", async () => {
    const user = await customer(credit.price - 1);
    const phoneNumber = newPhone();
    const answer = await post("prepaid", user, { service: credit.code, phoneNumber });
    expect([answer.status, answer.body]).toEqual([
      400,
      failureBody("topup", 400, "Insufficient balance"),
    ]);
    expect(await ordersOf(phoneNumber)).toEqual([]);
    expect(await purchasesOf(phoneNumber)).toEqual([]);
  });

  it("is one order under one key, whatever is told about it later, and no other input", async () => {
    const user = await customer();
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const key = crypto.randomUUID();
    const json = { service: credit.code, phoneNumber };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post("prepaid", user, json, key)),
    );
    const numbers = new Set(answers.map(({ body }) => body.data?.orderNumber));
    expect([answers.map(({ status }) => status), numbers.size]).toEqual([
      [200, 200, 200, 200, 200],
      1,
    ]);
    expect(await purchasesOf(phoneNumber)).toHaveLength(1);
    const other = await post("prepaid", user, { ...json, amount: credit.price }, key);
    expect(other.status).toBe(422);
  });

  it.each([
    ["failed", "The order failed at the provider"],
    ["cancel", "The order was cancelled"],
    ["refunded", "The order was refunded"],
  ])(
    "a repeat with its key of what was %s since is told so, by each route",
    async (statusWord, why) => {
      const user = await customer();
      const target = newPhone();
      await dial(target, { stay: true });
      const key = unique("key-");
      const json = { service: credit.code, phoneNumber: target };
      const bought = await post("prepaid", user, json, key);
      const goods = { service: diamonds.code, gameId: target, zone: "2611" };
      const { orderNumber } = (await post("game", user, goods)).body.data;
      const processed = await post("process", user, { orderNumber }, `${key}-game`);
      await settleBackground();
      await dial(target, { statusWord });
      for (const trxId of [bought.body.data.externalId, processed.body.data.results[0].trxId]) {
        await api(`/api/orders/process?trxId=${trxId}`, { token: user.token });
      }
      const again = await post("prepaid", user, json, key);
      expect([again.status, again.body.message]).toEqual([400, `Order failed: ${why}`]);
      const { body } = await post("process", user, { orderNumber }, `${key}-game`);
      expect([body.success, body.data.results]).toEqual([
        false,
        [{ product: diamonds.name, success: false, error: why }],
      ]);
    },
  );

  it.each([5, 0, "1"])("refuses a quantity of %j in words: it buys one", async (quantity) => {
    const json = { service: credit.code, phoneNumber: newPhone(), quantity };
    const { status, body } = await post("prepaid", await customer(), json);
    expect([status, body.message]).toEqual([400, "Quantity must be 1: order once for each"]);
  });

  it("asks for a confirmation of a like order of a moment ago", async () => {
    const user = await customer();
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const json = { service: credit.code, phoneNumber };
    const first = await post("prepaid", user, json);
    const again = await post("prepaid", user, json);
    expect([again.status, again.body]).toEqual([
      409,
      {
        ...failureBody("topup", 409, expect.stringContaining("confirm")),
        orderNumber: first.body.data.orderNumber,
      },
    ]);
    const confirmed = await post("prepaid", user, { ...json, confirm: true });
    expect(confirmed.status).toBe(200);
    expect(await purchasesOf(phoneNumber)).toHaveLength(2);
    expect((await booksOf(user)).escrow).toBe(2 * credit.price);
  });

  it("serves a number once a day where the supplier does", async () => {
    await shelve(credit, { multiTrx: false });
    const [one, two] = [await customer(), await customer()];
    const phoneNumber = newPhone();
    await dial(phoneNumber, { stay: true });
    const json = { service: credit.code, phoneNumber, confirm: true };
    expect((await post("prepaid", one, json)).status).toBe(200);
    expect((await post("prepaid", two, json)).status).toBe(409);
    await shelve(credit);
  });

  it("says which order a refusal ended, and tells nothing of our own account", async () => {
    const user = await customer();
    const phoneNumber = newPhone();
    await dial(phoneNumber, { lowBalance: "[1]" });
    const answer = await post("prepaid", user, { service: credit.code, phoneNumber });
    const { number } = await theOrderOf(phoneNumber);
    const message = "Order failed: The service is temporarily unavailable";
    expect([answer.status, answer.body]).toEqual([
      400,
      { success: false, message, error: message, orderNumber: number },
    ]);
    const wallet = await api("/api/wallet", { token: user.token });
    expect(wallet.body.data.entries.map((entry: { reason: string }) => entry.reason)).toEqual([
      `Pengembalian dana pesanan ${number}`,
      `Pembayaran pesanan ${number}`,
      "Isi saldo",
    ]);
    expect(wallet.body.data.balance).toBe(1_000_000);
  });

  it("has limits on what a user has open", async () => {
    const user = await customer(10_000_000);
    const base = newPhone().slice(0, 10);
    await dial(base, { stay: true });
    const place = (n: number) =>
      post("prepaid", user, {
        service: credit.code,
        phoneNumber: `${base}${String(n).padStart(2, "0")}`,
      });
    const statuses: number[] = [];
    for (let n = 0; n < 51; n += 1) statuses.push((await place(n)).status);
    expect(statuses).toEqual([...Array.from({ length: 50 }, () => 200), 429]);
  });
});
