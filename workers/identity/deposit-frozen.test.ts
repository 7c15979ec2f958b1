import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../shared/db/statement.ts";
import { confirmCharge, depositSettlement } from "../../shared/payments/index.ts";
import { settleBackground, testContext } from "../testing/api.ts";
import { createUser, type TestUser } from "../testing/factories.ts";
import { freeze } from "../testing/frost.ts";
import { balance, payAtTwin } from "../testing/orders.ts";
import { deposit } from "./wallet.ts";

const PATIENCE_MS = 200;
const away = { code: "unavailable" };
const INPUT = { amount: 50_000, method: "qris" } as const;

const Charge = z.object({ id: z.string(), ref: z.string() });
const chargesOf = ({ userId }: TestUser) =>
  testContext().db.run(
    rows(
      sql`select i.purpose_id as id, c.provider_ref as ref from payments_intents i
        join payments_charges c on c.intent_id = i.id and c.channel = 'qris'
        where i.user_id = ${userId} and i.purpose = 'deposit'`,
      Charge,
    ),
  );

it("a deposit that is not answered, and repeated meanwhile, is one, and is credited once", async () => {
  const user = await createUser();
  const key = crypto.randomUUID();
  // Undone with the thaw: whoever claims the key waits until then.
  const claim = await freeze(
    sql`insert into http_idempotency_keys (user_id, key, operation, input_hash, subject_id)
      values (${user.userId}, ${key}, '', '', '')`,
  );
  const hurried = () => testContext(user, PATIENCE_MS);
  for (let n = 0; n < 2; n += 1) {
    await expect(deposit(hurried(), INPUT, key)).rejects.toMatchObject(away);
  }
  const patient = deposit(testContext(user), INPUT, key);
  await claim.thaw();
  const opened = await patient;
  expect(await deposit(testContext(user), INPUT, key)).toEqual(opened);
  await settleBackground();
  const charges = await chargesOf(user);
  expect(charges).toMatchObject([{ id: opened.deposit_id }]);

  const ref = charges[0]?.ref ?? "";
  await payAtTwin(ref);
  const intent = await freeze(
    sql`select from payments_intents where purpose_id = ${opened.deposit_id} for update`,
  );
  const confirm = (patienceMs?: number) =>
    confirmCharge(testContext(null, patienceMs), ref, [depositSettlement]);
  for (let n = 0; n < 2; n += 1) {
    await expect(confirm(PATIENCE_MS)).rejects.toMatchObject(away);
  }
  const again = confirm();
  await intent.thaw();
  await again;
  expect(await balance("wallet", user.userId)).toBe(INPUT.amount);
});
