import { check, rupiah, type Tell } from "../narrator.ts";
import { type Caller, dial, purchasesOf, refusalOf, twin } from "./calls.ts";
import type { Shelf } from "./catalogue.ts";
import {
  askUntilEnd,
  awaitEnd,
  awaitPurchase,
  type Goods,
  order,
  orderInVain,
  readOrder,
} from "./orders.ts";
import { balanceOf } from "./wallet.ts";

export interface Cast {
  customer: Caller;
  admin: Caller;
  stranger: Caller;
}

/** Every purchase is for a target that no other run has. */
export interface Targets {
  slow: string;
  token: string;
  diamonds: string;
  followers: string;
  refused: string;
  failed: string;
  broken: string;
}

const digits = (count: number) =>
  Array.from({ length: count }, () => Math.floor(Math.random() * 10)).join("");

export const newTargets = (): Targets => ({
  slow: `0812${digits(8)}`,
  token: `14${digits(10)}`,
  diamonds: `5${digits(8)}`,
  followers: `https://instagram.com/lumbung.${digits(9)}`,
  refused: `0813${digits(8)}`,
  failed: `0821${digits(8)}`,
  broken: `https://instagram.com/lumbung.${digits(9)}`,
});

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/**
 * The supplier takes the order and never answers: after 30 s the order is in doubt, and its history tells that it was
 * bought. Nothing is sent twice.
 */
export async function buyUnanswered(
  tell: Tell,
  { customer }: Cast,
  { credit }: Shelf,
  target: string,
): Promise<() => void> {
  await dial(tell, target, { timeOut: { count: 1 } });
  const began = Date.now();
  const number = await order(tell, customer, { family: "prepaid", service: credit.code, target });
  const gaveUp = Date.now();
  const trxid = await awaitPurchase(tell, customer, number);
  const settled = Date.now();
  const { totalAmount } = await askUntilEnd(tell, customer, number, "SUCCESS");
  return () =>
    tell.step(
      `Phone credit, taken by the supplier without an answer: found in its history as ${trxid}`,
      `${number}, ${rupiah(totalAmount)}: gave up after ${seconds(gaveUp - began)}, settled ${seconds(settled - gaveUp)} later, bought once`,
    );
}

/** The token's number is for its owner alone; its callback comes three times, then forged, then untrue. */
export async function buyToken(
  tell: Tell,
  { customer, admin, stranger }: Cast,
  { token }: Shelf,
  target: string,
): Promise<void> {
  await dial(tell, target, { duplicate: 2 });
  const number = await order(tell, customer, { family: "prepaid", service: token.code, target });
  const { sn, totalAmount } = await awaitEnd(tell, customer, number, "SUCCESS");
  if (!sn) throw new Error(`${number} has no token`);
  check("the token as admins see it", (await readOrder(tell, admin, number)).sn, null);
  const path = `/api/orders/prepaid?orderNumber=${number}`;
  check("a stranger's question", (await refusalOf(tell, path, stranger)).status, 404);
  tell.step(
    `PLN token, its callback sent three times over: ${sn.split("/")[0]}`,
    `${number}, ${rupiah(totalAmount)}; an admin sees no token, a stranger no order`,
  );
  const forged = await callbackOf(tell, target, { status: "error", sign: false });
  check("a forged callback", forged, 401);
  const untrue = await callbackOf(tell, target, { status: "error" });
  check("an untrue callback", untrue, 200);
  const after = await readOrder(tell, customer, number);
  check("the order after both", after.status, "SUCCESS");
  tell.step(
    "A forged callback was refused; a signed one that was untrue changed nothing",
    `${forged} and ${untrue}; the order is ${after.status}`,
  );
}

interface Sent {
  deliveries: { attempts: { status: number | null }[] }[];
}

/** Has the twin send a callback with other fields; answers with what we said to it. */
async function callbackOf(tell: Tell, target: string, fields: object): Promise<number | null> {
  const { deliveries } = await twin<Sent>(tell, `/_notify/${encodeURIComponent(target)}`, fields);
  return deliveries[0]?.attempts[0]?.status ?? null;
}

/** No callback ever comes; the customer's own page asks. */
export async function buyUnheard(
  tell: Tell,
  { customer }: Cast,
  { diamonds }: Shelf,
  target: string,
): Promise<void> {
  await dial(tell, target, { lose: true });
  const goods: Goods = { family: "game", service: diamonds.code, target, zone: "2001" };
  const number = await order(tell, customer, goods);
  const { totalAmount } = await askUntilEnd(tell, customer, number, "SUCCESS");
  const trxid = (await purchasesOf(tell, target))[0]?.trxid;
  const notices = await twin<{ state: string }[]>(tell, `/_notices?trxid=${trxid}`);
  check("callbacks that came", notices.filter(({ state }) => state !== "lost").length, 0);
  tell.step(
    `Game diamonds, ordered and processed, ${notices.length} callbacks lost: the order's page asked the supplier`,
    `${number}, ${rupiah(totalAmount)}`,
  );
}

const ORDERED = 1000;
const LEFT = 157;

/** A part is delivered; the rest goes back to the wallet. */
export async function buyPartly(
  tell: Tell,
  { customer }: Cast,
  { followers }: Shelf,
  target: string,
): Promise<void> {
  await dial(tell, target, { partial: LEFT });
  const before = await balanceOf(tell, customer);
  const number = await order(tell, customer, social(followers.code, target));
  const { totalAmount, refundedAmount } = await awaitEnd(tell, customer, number, "PARTIAL");
  check("the refund", refundedAmount, Math.ceil((totalAmount * LEFT) / ORDERED));
  const paid = before - (await balanceOf(tell, customer));
  check("what was paid", paid, totalAmount - refundedAmount);
  tell.step(
    `${ORDERED} followers, ${LEFT} of them never delivered: ${rupiah(refundedAmount)} went back`,
    `${number}, ${rupiah(totalAmount)}`,
  );
}

const social = (service: string, target: string): Goods => ({
  family: "social",
  service,
  target,
  quantity: ORDERED,
});

/** Refused at once, and failed later: both times all the money is back. */
export async function buyInVain(
  tell: Tell,
  { customer }: Cast,
  { credit }: Shelf,
  targets: Pick<Targets, "refused" | "failed">,
): Promise<void> {
  const before = await balanceOf(tell, customer);
  const goods = { family: "prepaid", service: credit.code } as const;
  await dial(tell, targets.refused, { say: { value: "Nomor salah.", count: 1 } });
  const words = await orderInVain(tell, customer, { ...goods, target: targets.refused });
  check("the wallet after a refusal", await balanceOf(tell, customer), before);
  tell.step("The supplier refused a number; the money was back with the answer", `"${words}"`);

  await dial(tell, targets.failed, { fail: true });
  const number = await order(tell, customer, { ...goods, target: targets.failed });
  const { totalAmount } = await awaitEnd(tell, customer, number, "FAILED");
  check("the wallet after a failure", await balanceOf(tell, customer), before);
  tell.step(
    "The supplier took an order and failed; its callback brought the money back",
    `${number}, ${rupiah(totalAmount)}`,
  );
}

/** The connection breaks after the supplier took the order: in doubt at once, settled in seconds. */
export async function buyBroken(
  tell: Tell,
  { customer }: Cast,
  { followers }: Shelf,
  target: string,
): Promise<void> {
  await dial(tell, target, { down: { acts: true, count: 1 } });
  const began = Date.now();
  const number = await order(tell, customer, social(followers.code, target));
  const trxid = await awaitPurchase(tell, customer, number);
  const tookMs = Date.now() - began;
  await askUntilEnd(tell, customer, number, "SUCCESS");
  tell.step(
    `The connection broke after the supplier took an order: found in its history as ${trxid}`,
    `${number}, settled ${seconds(tookMs)} after the click, bought once`,
  );
}
