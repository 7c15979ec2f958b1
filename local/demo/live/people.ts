import type { Tell } from "../narrator.ts";

export interface Person {
  id: number;
  name: string;
  token: string;
}

const PASSWORD = "nonton-terus-1";

/** One request of the app, whose answers say `success` and carry what they carry beside it. */
export async function appRequest<T>(
  tell: Tell,
  path: string,
  { method = "GET", token, json }: { method?: string; token?: string; json?: unknown } = {},
): Promise<T> {
  const headers: Record<string, string> = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (json !== undefined) headers["content-type"] = "application/json";
  const body = json === undefined ? null : JSON.stringify(json);
  const response = await fetch(`${tell.app}${path}`, { method, headers, body });
  const answer = (await response.json()) as T & { success: boolean; message?: string };
  if (!answer.success) {
    throw new Error(`${method} ${path} answered ${response.status}: ${answer.message}`);
  }
  return answer;
}

/** A new user of the app with a number of his own, signed in. */
export async function makePerson(tell: Tell, name: string): Promise<Person> {
  const phone = `08${String(Math.random()).slice(2, 13)}`;
  const json = { phone, password: PASSWORD, name };
  await appRequest(tell, "/api/register", { method: "POST", json });
  const { token, user } = await appRequest<{ token: string; user: { id: number } }>(
    tell,
    "/api/login",
    { method: "POST", json: { phone, password: PASSWORD } },
  );
  return { id: user.id, name, token };
}

/** Several at a time: password hashes are slow on purpose. */
export async function makePeople(tell: Tell, name: string, count: number): Promise<Person[]> {
  const people: Person[] = [];
  for (let from = 0; from < count; from += 4) {
    const group = Array.from({ length: Math.min(4, count - from) }, (_, i) =>
      makePerson(tell, `${name} ${from + i + 1}`),
    );
    people.push(...(await Promise.all(group)));
  }
  return people;
}

/** What the ledger says that he owns, in coins. */
export async function coinsOf(tell: Tell, { token }: Person): Promise<number> {
  const { data } = await appRequest<{ data: { balance: number } }>(tell, "/api/profile", { token });
  return data.balance;
}
