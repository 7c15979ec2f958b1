import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { randomAddress, testContext } from "../testing/api.ts";
import { networkOf, signInLimits } from "./attempts.ts";
import {
  type Answer,
  execute,
  newUser,
  query,
  signInAs,
  someEmail,
  type TestUser,
} from "./test-people.ts";

const wrong = { password: "salah-sekali" };

const countOf = (answers: Answer[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

async function fail(user: TestUser, times: number, address = user.address): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let i = 0; i < times; i++) answers.push(await signInAs(user, wrong, { address }));
  return answers;
}

/** As if this user's counters had begun that long ago. */
async function age(user: TestUser, minutes: number): Promise<void> {
  const limits = await signInLimits(testContext(), user.email, user.address);
  const [pair, , from] = limits;
  const keys = [pair.key, `pair/${user.id}/${from.key}`, `account/${user.id}`, from.key];
  for (const key of keys) {
    await execute(
      sql`update identity_attempts
          set window_started_at = window_started_at - make_interval(mins => ${minutes}::int)
          where key = ${key}`,
    );
  }
}

describe("the lock-out", () => {
  it("refuses the right password too after five failures, and says for how long", async () => {
    const user = await newUser();
    expect(countOf(await fail(user, 5), 401)).toBe(5);
    const answer = await signInAs(user);
    expect(answer.status).toBe(429);
    const { meta } = z.object({ meta: z.object({ retry_after: z.number() }) }).parse(answer.body);
    expect(meta.retry_after).toBeGreaterThan(290);
    expect(meta.retry_after).toBeLessThanOrEqual(300);
    expect(answer.headers.get("retry-after")).toBe(String(meta.retry_after));
    expect(answer.body.message).toMatch(/Coba lagi dalam 5 menit/);
  });

  it("counts an account's e-mail and its phone as one target", async () => {
    const user = await newUser();
    await fail(user, 5);
    const byPhone = await signInAs({ ...user, email: user.phone }, wrong);
    expect(byPhone.status).toBe(429);
  });

  it("holds one address back and not the account's owner elsewhere", async () => {
    const user = await newUser();
    await fail(user, 6, randomAddress());
    expect((await signInAs(user)).status).toBe(200);
  });

  it("compares no more than five of 50 guesses that arrive at once", async () => {
    const user = await newUser();
    const answers = await Promise.all(Array.from({ length: 50 }, () => signInAs(user, wrong)));
    expect(countOf(answers, 401)).toBe(5);
    expect(countOf(answers, 429)).toBe(45);
    expect((await signInAs(user)).status).toBe(429);
  });

  it("compares no more than 20 guesses on one account from any number of addresses", async () => {
    const user = await newUser();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => signInAs(user, wrong, { address: randomAddress() })),
    );
    expect(countOf(answers, 401)).toBe(20);
    expect(countOf(answers, 429)).toBe(10);
    expect((await signInAs(user, {}, { address: randomAddress() })).status).toBe(429);
  });

  it("locks an account that does not exist just the same", async () => {
    const nobody = { ...(await newUser()), email: someEmail() };
    expect(countOf(await fail(nobody, 6), 429)).toBe(1);
  });

  it("forgets the pair's failures after a success", async () => {
    const user = await newUser();
    for (let round = 0; round < 2; round++) {
      expect(countOf(await fail(user, 4), 401)).toBe(4);
      expect((await signInAs(user)).status).toBe(200);
    }
  });

  it("counts no success against the account", async () => {
    const user = await newUser();
    for (let i = 0; i < 22; i++) expect((await signInAs(user)).status).toBe(200);
  });

  it("ends by itself", async () => {
    const user = await newUser();
    await fail(user, 6);
    await age(user, 5);
    expect((await signInAs(user)).status).toBe(200);
  });

  it("keeps neither the account's name nor the address in clear", async () => {
    const user = await newUser();
    await fail(user, 1);
    const keys = await query(
      sql`select key from identity_attempts order by window_started_at desc limit 20`,
      z.object({ key: z.string() }),
    );
    const [, , from] = await signInLimits(testContext(), user.email, user.address);
    const stored = keys.map(({ key }) => key);
    expect(stored).toEqual(
      expect.arrayContaining([`pair/${user.id}/${from.key}`, `account/${user.id}`, from.key]),
    );
    for (const key of stored) {
      expect(key).not.toContain(user.email);
      expect(key).not.toContain(networkOf(user.address));
    }
  });
});

describe("networkOf", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:DB8:1:2:ffff::1", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:0db8:0001::", "2001:db8:1:0"],
    ["::1", "0:0:0:0"],
    ["unknown", "unknown"],
  ])("takes %s as a party of %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
