import { DEMO_PASSWORD } from "../data.ts";
import { request } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import { buy, findRate, makeBuyer } from "../sale/buyer.ts";
import { followParcel, pay } from "../sale/outside.ts";
import { type Person, type Store, signIn } from "../sale/seller.ts";
import type { Item } from "./shop.ts";

const ADMIN = "admin@lumbung.example";

interface Balance {
  available: number;
  held: number;
  in_payout: number;
}

interface Payout {
  id: string;
  amount: number;
  state: string;
}

/** One sale of our own: its money is held until the parcel is there, and then the seller has it paid out. */
export async function payOut(
  tell: Tell,
  { seller, store }: { seller: Person; store: Store },
  item: Item,
): Promise<void> {
  const read = () => request<Balance>(tell.app, "/api/seller/balance", { token: seller.token });
  const before = await read();
  check("money of marketplaces in the balance", before.available + before.held, 0);
  const quiet: Tell = { ...tell, step: () => undefined };
  const buyer = await makeBuyer(quiet);
  const goods = { ...item, promo: await promoOf(tell, seller) };
  const rate = await findRate(quiet, buyer, store, goods);
  const placed = await buy(quiet, buyer, { store, goods, rate });
  await pay(quiet, buyer, placed);
  const paid = await read();
  check("what may be paid out before the parcel is there", paid.available, 0);
  const { number, sale } = await followParcel(quiet, buyer, placed);
  item.stock -= 2;
  const delivered = await read();
  check("held before, available now", delivered.available, paid.held);
  check("the sale less 5 % commission", delivered.available, sale);
  tell.step(
    `Sold 2 in our own shop, order ${number}: paid, then delivered`,
    `${rupiah(paid.held)} held until then, available now`,
  );
  await transfer(tell, seller, sale);
  const after = await read();
  check("left to be paid out", after.available + after.held + after.in_payout, 0);
  await checkStatement(tell, seller, number, sale);
}

async function promoOf({ app }: Tell, { token }: Person): Promise<string> {
  const code = `WAYANG${Date.now().toString(36).slice(-6)}`.toUpperCase();
  const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString();
  const json = { code, type: "percentage", value: 10, max_uses: 5 };
  await request(app, "/api/seller/promo", {
    method: "POST",
    token,
    json: { ...json, starts_at: hours(-1), ends_at: hours(24) },
  });
  return code;
}

/** Asked for by the seller, agreed to by an admin, transferred by the bank. */
async function transfer(tell: Tell, { token }: Person, amount: number): Promise<void> {
  const account = {
    bank_code: "bca",
    account_number: "1234567890",
    account_holder: "Penjual Topeng",
  };
  await request(tell.app, "/api/seller/bank-account", { method: "PUT", token, json: account });
  const asked = await request<Payout>(tell.app, "/api/seller/payouts", {
    method: "POST",
    token,
    headers: { "idempotency-key": crypto.randomUUID() },
    json: { amount },
  });
  const admin = await signIn(tell, ADMIN, DEMO_PASSWORD);
  const path = `/api/admin/payouts/${asked.id}`;
  const decide = (verb: string, json?: object) =>
    request<Payout>(tell.app, `${path}/${verb}`, {
      method: "POST",
      token: admin,
      json: json ?? {},
    });
  check("the payout once agreed to", (await decide("approve")).state, "approved");
  const reference = `TRF-${Date.now().toString(36)}`;
  const paid = await decide("paid", { transfer_reference: reference });
  check("the payout once transferred", paid.state, "paid");
  tell.step(`Payout of ${rupiah(amount)}: asked for, agreed to, transferred`, reference);
}

/** The month's statement is opening + in - out = closing, and knows the sale and the payout. */
async function checkStatement(
  tell: Tell,
  { token }: Person,
  number: string,
  amount: number,
): Promise<void> {
  const month = new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, 7);
  const response = await fetch(`${tell.app}/api/seller/statement?month=${month}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the statement answered ${response.status}: ${text}`);
  const lines = text
    .trim()
    .split("\r\n")
    .map((line) => line.split(","));
  const [opening, closing] = [Number(lines[1]?.[7]), Number(lines.at(-1)?.[7])];
  const moved = lines.slice(2, -2);
  const sum = (column: number) => moved.reduce((total, line) => total + Number(line[column]), 0);
  check("opening + in - out", opening + sum(5) - sum(6), closing);
  check("what came in", sum(5), amount);
  check("what went out", sum(6), amount);
  check("the sale's line", moved.filter((line) => line[2] === number).length, 1);
  tell.step(
    `The statement of ${month} adds up`,
    `${rupiah(opening)} + ${rupiah(sum(5))} - ${rupiah(sum(6))} = ${rupiah(closing)}, ${moved.length} lines`,
  );
}
