import { expect, it } from "vitest";
import { createUser, unique } from "../testing/factories.ts";
import {
  coinsOf,
  createAgency,
  giveCoins,
  joinAgency,
  joinedAt,
  post,
  told,
} from "./testing/people.ts";

const ASK = "/api/agency/salary-request";

it("a salary request or its answer with a key is answered again as at first, and the key stands for nothing else", async () => {
  const agency = await createAgency();
  await giveCoins(agency.owner, 5_000);
  const host = await createUser();
  await joinedAt(await joinAgency(host, agency), new Date("2020-01-01T00:00:00+07:00"));
  const asking = unique("key-");
  const form = { salaryAmount: 500, year: 2026, weekNumber: 20 };
  const first = await post(ASK, host, form, asking);
  expect(told(await post(ASK, host, form, asking))).toEqual(told(first));
  expect((await post(ASK, host, { ...form, salaryAmount: 900 }, asking)).status).toBe(422);
  const { id } = first.body.data;
  const key = unique("key-");
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => post(`${ASK}/${id}/approve`, agency.owner, {}, key)),
  );
  const done = { status: 200, body: { success: true, message: "Salary request approved" } };
  expect(answers.map(told)).toEqual(answers.map(() => done));
  const alias = `/api/agency/${agency.id}/salary-approve`;
  expect(told(await post(alias, agency.owner, { requestId: id }, key))).toEqual(done);
  expect((await post(`${ASK}/${id}/reject`, agency.owner, {}, key)).status).toBe(422);
  expect([await coinsOf(agency.owner), await coinsOf(host)]).toEqual([4_500, 500]);
});
