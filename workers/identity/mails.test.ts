import { expect, it } from "vitest";
import { z } from "zod";
import { runJob } from "../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../shared/jobs/test-queues.ts";
import { mailJob } from "../../shared/mail/mail.ts";
import { randomAddress, settleBackground, standIns } from "../testing/api.ts";
import { unique } from "../testing/factories.ts";
import { twin } from "../testing/orders.ts";
import { register } from "./accounts.ts";
import { identityMails } from "./mails.ts";

const Message = z.object({ id: z.string() });
const Mails = z.array(z.object({ subject: z.string(), html: z.string(), text: z.string() }));

it("who registers is greeted once, and who registers a known address is not", async () => {
  const { ctx, sent } = contextWithQueues();
  const email = `${unique("u")}@test.example`;
  const person = { email, name: "Ana <b>Uji</b>", password: "rahasia-123", role: "buyer" } as const;
  await register(ctx, { ...person, address: randomAddress() });
  await expect(register(ctx, { ...person, address: randomAddress() })).rejects.toMatchObject({
    code: "invalid_input",
  });
  await settleBackground();
  expect(sent).toMatchObject([{ queue: "mail" }]);
  const { id } = Message.parse(sent[0]?.body);
  expect(await runJob(ctx, id, [mailJob(identityMails)])).toBe("success");
  const path = `/_mails?to=${encodeURIComponent(email)}`;
  const mails = Mails.parse(await twin(standIns().resend, path, {}, "GET"));
  expect(mails).toMatchObject([{ subject: "Selamat datang di Lumbung" }]);
  expect(mails[0]?.html).toContain("Ana &lt;b&gt;Uji&lt;/b&gt;");
  expect(mails[0]?.text).not.toContain(person.password);
});

it("who registers with a phone number alone gets no mail", async () => {
  const { ctx, sent } = contextWithQueues();
  const phone = `+628${String(Math.floor(Math.random() * 1e10)).padStart(10, "0")}`;
  const input = { phone, name: "Ana", password: "rahasia-123", address: randomAddress() };
  await register(ctx, { ...input, role: "buyer" });
  await settleBackground();
  expect(sent).toEqual([]);
});
