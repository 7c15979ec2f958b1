import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, newOrderId } from "../testing/call.ts";
import { noticeSignature } from "./signature.ts";
import { apiKey, type Merchant, type Notice, startMerchant, va } from "./test-ipaymu.ts";

let merchant: Merchant;

beforeAll(async () => {
  merchant = await startMerchant();
});
afterAll(() => merchant.stop());

/** A direct payment whose pending notice has come, so that what follows is the test's own. */
const opened = async (change: Record<string, unknown> = {}) => {
  const { Data } = (await merchant.direct(change)).body;
  await merchant.notices(Data.ReferenceId, 1);
  return { id: Data.TransactionId as number, reference: Data.ReferenceId as string };
};
const paidWith = async (dials: Record<string, unknown>, change: Record<string, unknown> = {}) => {
  const { id, reference } = await opened(change);
  await merchant.dial(reference, dials);
  await merchant.hand("pay", id);
  const [, paid] = await merchant.notices(reference, 2);
  if (!paid) throw new Error("no notice");
  return paid;
};
const typed = (notice: Notice, signature = notice.headers["x-signature"]) => {
  const { fields } = notice;
  const numbers = ["trx_id", "status_code", "transaction_status_code", "paid_off"];
  const entries = Object.entries(fields).map(([name, value]) =>
    numbers.includes(name) ? [name, Number(value)] : [name, value],
  );
  const whole = { ...Object.fromEntries(entries), is_escrow: false, additional_info: [] };
  return { whole, signature };
};

describe("a notice is sent until it is answered with 200 exactly", () => {
  it.each([201, 302, 404, 500])("after an answer of %i", async (status) => {
    const { id, reference } = await opened();
    await merchant.dial(reference, { retryScale: 0 });
    merchant.answers.push(status);
    await merchant.hand("pay", id);
    const got = await merchant.notices(reference, 3);
    expect(got.slice(1).map((one) => one.fields.status)).toEqual(["berhasil", "berhasil"]);
    const [first, second] = got.slice(1).map((one) => one.headers["x-external-id"]);
    expect(first).not.toBe(second);
    await expect.poll(() => merchant.twin.notices(reference)[1]?.state).toBe("delivered");
  });
});

describe("a notice in each described form", () => {
  it("as JSON, with the types that captures have", async () => {
    const paid = await paidWith({ jsonNotice: true });
    expect(paid.headers["content-type"]).toBe("application/json");
    expect(paid.fields).toMatchObject({
      trx_id: expect.any(Number),
      status_code: 1,
      amount: "150000",
      is_escrow: false,
      additional_info: [],
      paid_off: 148_950,
    });
    expect(paid.headers["x-signature"]).toBe(noticeSignature(paid.fields, va));
  });

  it("signed over raw UTF-8, over integers, or without empty fields", async () => {
    const name = { name: "José" };
    for (const form of ["raw-utf8", "integers", "without-empty"] as const) {
      const { whole, signature } = typed(await paidWith({ signatureForm: form }, name));
      expect(signature).toBe(noticeSignature(whole, va, form));
      expect(signature).not.toBe(noticeSignature(whole, va));
    }
  });

  it("with its signature in the body", async () => {
    const paid = await paidWith({ signatureInBody: true });
    expect(paid.headers).not.toHaveProperty("x-signature");
    const { whole } = typed(paid);
    expect(paid.fields.signature).toBe(noticeSignature(whole, va));
  });

  it("with the further fields of the documentation, signed too", async () => {
    const paid = await paidWith({ extraFields: true });
    expect(paid.fields).toMatchObject({ merchant: va, referenceId: paid.fields.reference_id });
    expect(Object.keys(paid.fields)).toHaveLength(24 + 13);
    const { whole, signature } = typed(paid);
    expect(signature).toBe(noticeSignature(whole, va));
  });

  it("with the word false, and without an empty payment_no", async () => {
    const paid = await paidWith({ escrowWord: true, leanForm: true });
    expect(paid.fields.is_escrow).toBe("false");
    expect(paid.fields).not.toHaveProperty("payment_no");
  });
});

describe("dials touch only what they match", () => {
  it("lose, duplicate, forge", async () => {
    const [lost, doubled, forged, plain] = await Promise.all(
      Array.from({ length: 4 }, () => opened()),
    );
    if (!lost || !doubled || !forged || !plain) throw new Error("no payments");
    await merchant.dial(lost.reference, { lose: true });
    await merchant.dial(doubled.reference, { duplicate: 2 });
    await merchant.dial(forged.reference, { forge: true });
    for (const one of [lost, doubled, forged, plain]) await merchant.hand("pay", one.id);
    expect(await merchant.notices(doubled.reference, 4)).toHaveLength(4);
    const verdict = async (reference: string) => {
      const { whole, signature } = typed((await merchant.notices(reference, 2))[1] as Notice);
      return signature === noticeSignature(whole, va);
    };
    expect(await verdict(forged.reference)).toBe(false);
    expect(await verdict(plain.reference)).toBe(true);
    expect(merchant.twin.notices(lost.reference)[1]).toMatchObject({ state: "lost", attempts: [] });
  });

  it("refuse, rubbish, down and timeOut on a call that names the transaction", async () => {
    const { id, reference } = await opened();
    const other = await opened();
    const query = (transactionId: number) => merchant.post("transaction", { transactionId });
    await merchant.dial(reference, { refuse: { value: 502, count: 1 } });
    expect((await query(other.id)).status).toBe(200);
    expect((await query(id)).status).toBe(502);
    await merchant.dial(reference, { rubbish: { count: 1 } });
    expect((await query(id)).text).toContain("<html>");
    await merchant.dial(reference, { down: { count: 1 } });
    await expect(query(id)).rejects.toThrow();
    expect((await query(id)).status).toBe(200);
  });

  it("a payment refused after it was made leaves one behind", async () => {
    const referenceId = newOrderId("L");
    await merchant.dial(referenceId, { refuse: { acts: true, count: 1 } });
    expect((await merchant.direct({ referenceId })).status).toBe(503);
    const { body } = await merchant.post("history", {});
    const rows = body.Data.Transaction.filter(
      (one: Record<string, unknown>) => one.ReferenceId === referenceId,
    );
    expect(rows).toHaveLength(1);
  });

  it("an address or a domain that is not registered", async () => {
    const [ip, domain] = [newOrderId("P"), newOrderId("N")];
    await merchant.dial(ip, { invalidIp: true });
    await merchant.dial(domain, { invalidDomain: true });
    expect((await merchant.direct({ referenceId: ip })).body.Message).toBe("Invalid IP");
    expect((await merchant.direct({ referenceId: domain })).body.Message).toBe("Invalid Domain");
    expect((await merchant.direct()).status).toBe(200);
  });

  it("numbers as texts, and history in its other envelope", async () => {
    const { id, reference } = await opened();
    await merchant.dial(reference, { numbersAsText: true, unsettled: true });
    await merchant.hand("pay", id);
    const { body } = await merchant.post("transaction", { transactionId: id });
    expect(body.Data).toMatchObject({ Status: "6", Amount: "150000", TransactionId: String(id) });
    await merchant.dial(`"id":${id}`, { historyResults: true });
    const history = await merchant.post("history", { id });
    expect(history.body.Data).toMatchObject({ Total: 1, Results: [{ TransactionId: id }] });
  });

  it("common and own dials of one scope are replaced together; an unknown one changes nothing", async () => {
    const { id, reference } = await opened();
    await merchant.dial(reference, { jsonNotice: true, refuse: 500 });
    const wrong = await merchant.dial(reference, { explode: true });
    expect(wrong).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/explode.*jsonNotice/) },
    });
    const listed = async () => {
      const { body } = await call("GET", `${merchant.twin.url}/_dials`);
      return body.dials.filter((one: Record<string, unknown>) => one.match === reference);
    };
    expect(await listed()).toHaveLength(2);
    await merchant.dial(reference, { jsonNotice: { count: 1 } });
    expect(await listed()).toMatchObject([{ name: "jsonNotice", left: 1 }]);
    await merchant.hand("pay", id);
    expect(await listed()).toEqual([]);
    await merchant.dial(reference, { leanForm: true });
    await call("DELETE", `${merchant.twin.url}/_dials?match=${reference}`);
    expect(await listed()).toEqual([]);
  });
});

it("a hand sends other fields, signed, forged or under the old signature", async () => {
  const { id, reference } = await opened();
  await merchant.hand("pay", id);
  await merchant.hand("notify", id, { status_code: 0 });
  await merchant.hand("notify", id, { amount: "1" });
  await merchant.hand("notify", id, { amount: "2", sign: "keep" });
  await merchant.hand("notify", id, { sign: false });
  await merchant.hand("notify", id, { times: 2 });
  const got = (await merchant.notices(reference, 8)).slice(2);
  const verdicts = got.map((notice) => {
    const { whole, signature } = typed(notice);
    return signature === noticeSignature(whole, va);
  });
  expect(verdicts).toEqual([true, true, false, false, true, true]);
  expect(got[0]?.fields).toMatchObject({ status: "pending", transaction_status_code: "0" });
  const forged = typed(got[3] as Notice);
  expect(forged.signature).toBe(noticeSignature(forged.whole, apiKey));
});
