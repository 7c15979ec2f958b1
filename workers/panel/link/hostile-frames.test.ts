import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { CLOSE, MAX_FRAME_LENGTH } from "../../../shared/agent-protocol/index.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import {
  closeAgents,
  connected,
  enrolledServer,
  type TestAgent,
  testFacts,
} from "../testing/agents.ts";
import { linkOf } from "./link-client.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});
afterEach(closeAgents);

const id = () => crypto.randomUUID();
const submission = () => ({
  ...{ id: id(), seq: 1, subject: "db", type: "db.create" as const },
  ...{ input: { database: "toko" }, deadlineAt: new Date(Date.now() + 60_000) },
});

const closedWith = async (agent: TestAgent, code: number) => {
  await agent.until(({ closed }) => closed !== null, "the end of its connection");
  expect(agent.closed?.code).toBe(code);
};

describe("the first frame of an agent", () => {
  const hello = () => ({
    ...{ v: 1, t: "hello", agentVersion: "1", facts: testFacts(), instance: id() },
    ...{ displaced: false, holds: [] },
  });

  it.each([
    ["text that is no JSON", "{"],
    ["no hello", JSON.stringify({ v: 1, t: "ack", ids: [] })],
    ["another version", JSON.stringify({ ...hello(), v: 2 })],
    ["a field too many", JSON.stringify({ ...hello(), admin: true })],
    ["facts that are none", JSON.stringify({ ...hello(), facts: { sitesRoot: "/etc/../" } })],
  ])("being %s ends the connection", async (_, text) => {
    const server = await enrolledServer(operator);
    const agent = await connected(server, { greet: false });
    agent.sendText(text);
    await closedWith(agent, CLOSE.badHello);
    expect(await linkOf(testContext(), server.id).status()).toMatchObject({ connected: false });
  });
});

describe("an agent that says what it should not", () => {
  it("reaches nothing by ids that are not its own, and is heard on", async () => {
    const [server, other] = [await enrolledServer(operator), await enrolledServer(operator)];
    const agent = await connected(server);
    const victim = submission();
    await linkOf(testContext(), other.id).submit(victim);
    const outcome = { ok: true as const, value: { database: "toko", created: true } };
    agent.result(victim.id, outcome);
    agent.send({ v: 1, t: "progress", id: victim.id, percent: 99, lines: ["curi"] });
    agent.send({ v: 1, t: "answer", id: victim.id, outcome });
    const own = submission();
    await linkOf(testContext(), server.id).submit(own);
    await agent.until(({ commands }) => commands.length === 1, "its own command");
    expect(await linkOf(testContext(), other.id).wait(victim.id, 0)).toEqual({
      ...{ state: "queued", percent: 0 },
    });
    agent.result(own.id, outcome);
    const ended = await linkOf(testContext(), server.id).wait(own.id, 5_000);
    expect(ended).toMatchObject({ state: "done" });
  });

  it("cannot end a command that it has not been given", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const [first, second] = [submission(), { ...submission(), seq: 2 }];
    await linkOf(testContext(), server.id).submit(first);
    await linkOf(testContext(), server.id).submit(second);
    await agent.until(({ commands }) => commands.length === 1, "the first");
    agent.result(second.id, { ok: true, value: { database: "toko", created: true } });
    agent.result(first.id, { ok: true, value: { database: "toko", created: true } });
    await agent.until(({ commands }) => commands.length === 2, "the second");
    const { wait } = linkOf(testContext(), server.id);
    expect(await wait(second.id, 0)).toMatchObject({ state: "sent" });
  });

  it("is passed over a few times, then cut off, and its commands are safe", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const job = submission();
    await linkOf(testContext(), server.id).submit(job);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    const bad: (string | ArrayBuffer)[] = [
      ...["", "null", "[]", "{}", '{"v":1}', '{"v":1,"t":"__proto__"}'],
      "x".repeat(MAX_FRAME_LENGTH + 1),
      new ArrayBuffer(64),
      JSON.stringify({ v: 1, t: "result", id: job.id, outcome: { ok: true } }),
    ];
    for (const text of bad) agent.sendText(text);
    agent.result(job.id, {
      ok: false,
      error: { code: "conflict", message: "x", retryable: false },
    });
    const { wait, status } = linkOf(testContext(), server.id);
    // A success without a value is a frame, whose value does not fit.
    expect(await wait(job.id, 5_000)).toMatchObject({ state: "failed" });
    expect(await status()).toMatchObject({ connected: true });
    agent.sendText("{");
    agent.sendText("{");
    await closedWith(agent, CLOSE.badFrames);
    const again = await connected(server);
    const next = { ...submission(), seq: 2 };
    await linkOf(testContext(), server.id).submit(next);
    await again.until(({ commands }) => commands.length === 1, "a command");
  });
});
