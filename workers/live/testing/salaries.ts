import { createUser, type TestUser } from "../../testing/factories.ts";
import { giveCoins, joinAgency, joinedAt, post, type TestAgency } from "./people.ts";

export const ASK = "/api/agency/salary-request";
/** ISO week 20 of 2026 in Jakarta: Monday 11 May to Sunday 17 May. */
const WEEK = { year: 2026, weekNumber: 20 };
const LONG_AGO = new Date("2020-01-01T00:00:00+07:00");

/** A host who has been the agency's for long. */
export async function oldHost(agency: TestAgency): Promise<TestUser> {
  const host = await createUser();
  await joinedAt(await joinAgency(host, agency), LONG_AGO);
  return host;
}

export const ask = (host: TestUser, changes: Record<string, unknown> = {}) =>
  post(ASK, host, { salaryAmount: 500, ...WEEK, ...changes });

/** A request of 500 coins that waits for the agency, whose owner is given so many coins. */
export async function asked(
  agency: TestAgency,
  coins = 0,
): Promise<{ host: TestUser; id: number }> {
  if (coins > 0) await giveCoins(agency.owner, coins);
  const host = await oldHost(agency);
  const { body } = await ask(host);
  return { host, id: body.data.id };
}

export const decide = (by: TestUser, id: unknown, decision = "approve") =>
  post(`${ASK}/${id}/${decision}`, by);
