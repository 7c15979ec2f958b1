import { request, until } from "../http.ts";
import { check, rupiah, type Tell } from "../narrator.ts";
import type { Caller } from "./calls.ts";

interface Wallet {
  balance: number;
  entries: { amount: number; reason: string }[];
}

const readWallet = (tell: Tell, { token }: Caller) =>
  request<Wallet>(tell.app, "/api/wallet?limit=100", { token });

export const balanceOf = async (tell: Tell, caller: Caller) =>
  (await readWallet(tell, caller)).balance;

/** The customer pays on Midtrans' own page; the money is in the wallet once its notice is confirmed. */
export async function deposit(tell: Tell, customer: Caller, amount: number): Promise<void> {
  const { payment_url } = await request<{ payment_url: string }>(tell.app, "/api/wallet/deposit", {
    method: "POST",
    token: customer.token,
    json: { amount, method: "qris" },
  });
  await submit(`${payment_url}/pick`, { method: "qris" });
  await submit(`${payment_url}/pay`, {});
  const balance = await until(
    "the deposit is in the wallet",
    () => balanceOf(tell, customer),
    (found) => found > 0,
  );
  check("the wallet after the deposit", balance, amount);
  tell.step(`Deposited ${rupiah(amount)}: paid at the payment twin, confirmed, booked`);
}

async function submit(url: string, fields: Record<string, string>): Promise<void> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}

/** The statement's lines add up to the balance, and the balance is what the orders leave. */
export async function checkWallet(tell: Tell, customer: Caller, expected: number): Promise<string> {
  const { balance, entries } = await readWallet(tell, customer);
  check("the wallet", balance, expected);
  const sum = entries.reduce((total, { amount }) => total + amount, 0);
  check("the sum of the statement", sum, balance);
  return `${rupiah(balance)} left, ${entries.length} lines of the statement add up to it`;
}
