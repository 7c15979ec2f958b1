import { until } from "../http.ts";
import { check, type Tell } from "../narrator.ts";
import { appRequest, coinsOf, type Person } from "./people.ts";

interface Package {
  id: number;
  coins: number;
}

/** Everybody buys the smallest package; the payment twin pays, and the coins are there once. Gives what each owns. */
export async function buyCoins(tell: Tell, people: Person[]): Promise<number> {
  const { data: packages } = await appRequest<{ data: Package[] }>(tell, "/api/payment/packages");
  const [smallest] = packages.toSorted((a, b) => a.coins - b.coins);
  if (!smallest) throw new Error("there are no coins for sale");
  for (let from = 0; from < people.length; from += 10) {
    const group = people.slice(from, from + 10);
    await Promise.all(group.map((person) => buy(tell, person, smallest)));
  }
  return smallest.coins;
}

async function buy(tell: Tell, person: Person, { id, coins }: Package): Promise<void> {
  const { token } = person;
  const { data } = await appRequest<{ data: { orderId: string } }>(
    tell,
    "/api/payment/create-transaction",
    { method: "POST", token, json: { packageId: id } },
  );
  await fetch(`${tell.midtrans}/_pay/${data.orderId}`, { method: "POST" });
  const status = `/api/payment/status/${data.orderId}`;
  await until(
    "the coins are paid",
    () => appRequest<{ data: { status: string } }>(tell, status, { token }),
    (answer) => answer.data.status === "settlement",
  );
  check(`coins of ${person.name}`, await coinsOf(tell, person), coins);
}
