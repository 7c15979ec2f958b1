import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { CommandOutcome, CommandType } from "../../../shared/agent-protocol/index.ts";
import { testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { closeAgents, connected, enrolledServer, type TestServer } from "../testing/agents.ts";
import { linkOf, type Submission } from "./link-client.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});
afterEach(closeAgents);

const object = (server: TestServer) => testContext().serverLinks.getByName(server.id);
const link = (server: TestServer) => linkOf(testContext(), server.id);

let seq = 0;
/** A command that any agent knows, about a subject of its own. */
function command(changes: Partial<Submission> = {}): Submission & { type: CommandType } {
  seq += 1;
  return {
    ...{ id: crypto.randomUUID(), seq, subject: unique("db-"), type: "db.create" },
    input: { database: "toko" },
    deadlineAt: new Date(Date.now() + 60_000),
    ...changes,
  } as Submission & { type: CommandType };
}

const done: CommandOutcome = { ok: true, value: { database: "toko", created: true } };
const refused: CommandOutcome = {
  ok: false,
  error: { code: "conflict", message: "it is somebody else's", retryable: false },
};

describe("a command for a connected agent", () => {
  it("is sent, and its result is there for who waits, until it is forgotten", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const job = command();
    expect(await link(server).submit(job)).toMatchObject({ percent: 0 });
    await agent.until(({ commands }) => commands.length === 1, "the command");
    expect(agent.commands[0]).toMatchObject({
      ...{ id: job.id, subject: job.subject, type: job.type, input: job.input },
      deadline: job.deadlineAt.getTime(),
    });
    const waiting = link(server).wait(job.id, 5_000);
    agent.result(job.id, done);
    expect(await waiting).toEqual({ state: "done", percent: 100, value: done.value });
    await agent.until(({ frames }) => frames.some(({ t }) => t === "ack"), "the ack");
    expect(await link(server).wait(job.id, 0)).toMatchObject({ state: "done" });
    await link(server).forget([job.id]);
    expect(await link(server).wait(job.id, 0)).toBeNull();
  });

  it("submitted ten times is given to the agent once", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const job = command();
    await Promise.all(Array.from({ length: 10 }, () => link(server).submit(job)));
    const last = command();
    await link(server).submit(last);
    await agent.until(({ commands }) => commands.some(({ id }) => id === last.id), "the last");
    expect(agent.commands.filter(({ id }) => id === job.id)).toHaveLength(1);
  });

  it("answered ten times ends as it was answered first", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const job = command();
    await link(server).submit(job);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    agent.result(job.id, refused);
    for (let i = 0; i < 9; i += 1) agent.result(job.id, done);
    await agent.until(({ frames }) => frames.filter(({ t }) => t === "ack").length === 10, "acks");
    expect(await link(server).wait(job.id, 0)).toMatchObject({
      state: "failed",
      error: { code: "conflict", retryable: false },
    });
  });

  it("waits for the one before it of the same subject, not for another subject's", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const [first, second, other] = [command(), command(), command()];
    second.subject = first.subject;
    for (const job of [first, second, other]) await link(server).submit(job);
    await agent.until(({ commands }) => commands.length === 2, "two commands");
    expect(agent.commands.map(({ id }) => id)).toEqual([first.id, other.id]);
    expect(await link(server).cancel(first.id)).toBe(false);
    agent.result(first.id, done);
    await agent.until(({ commands }) => commands.length === 3, "the second");
    expect(agent.commands[2]?.id).toBe(second.id);
  });

  it("tells its progress, never backwards and never as done", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const job = command();
    await link(server).submit(job);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    for (const percent of [40, 20, 100]) {
      agent.send({ v: 1, t: "progress", id: job.id, percent, lines: ["satu"] });
    }
    agent.result(job.id, refused);
    expect(await link(server).wait(job.id, 5_000)).toMatchObject({ state: "failed", percent: 99 });
  });

  it("keeps its input sealed, and not at all once it has ended", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const word = unique("Rahasia");
    const job = command({ input: { database: word } });
    await link(server).submit(job);
    const kept = () =>
      runInDurableObject(object(server), (_, state) =>
        JSON.stringify(state.storage.sql.exec("select * from commands").toArray()),
      );
    expect(await kept()).toContain(job.id);
    expect(await kept()).not.toContain(word);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    expect(agent.commands[0]?.input).toEqual({ database: word });
    agent.result(job.id, refused);
    await link(server).wait(job.id, 5_000);
    expect(JSON.parse(await kept())[0]).toMatchObject({ id: job.id, sealed: null });
  });

  it("whose answer is not of its shape has failed", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const job = command();
    await link(server).submit(job);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    agent.result(job.id, { ok: true, value: { database: "x'; drop", created: "ya" } });
    expect(await link(server).wait(job.id, 5_000)).toMatchObject({
      state: "failed",
      error: { code: "version" },
    });
  });
});

describe("a server that is offline", () => {
  it("keeps its commands through an eviction and gives them in order when its agent comes", async () => {
    const server = await enrolledServer(operator);
    const jobs = [command(), command(), command()];
    for (const job of jobs) job.subject = "db";
    for (const job of [...jobs].reverse()) await link(server).submit(job);
    await evictDurableObject(object(server));
    expect(await link(server).status()).toMatchObject({ connected: false, waiting: 3 });
    const agent = await connected(server);
    for (const [at, job] of jobs.entries()) {
      await agent.until(({ commands }) => commands.length === at + 1, `command ${at}`);
      expect(agent.commands[at]?.id).toBe(job.id);
      agent.result(job.id, done);
    }
    expect(await link(server).wait(jobs[2]?.id ?? "", 5_000)).toMatchObject({ state: "done" });
  });

  it("lets a command be cancelled, once", async () => {
    const server = await enrolledServer(operator);
    const job = command();
    await link(server).submit(job);
    expect(await link(server).cancel(job.id)).toBe(true);
    expect(await link(server).cancel(job.id)).toBe(false);
    expect(await link(server).wait(job.id, 1_000)).toMatchObject({ state: "cancelled" });
    expect(await link(server).submit(job)).toMatchObject({ state: "cancelled" });
  });

  it("lets a command expire at its deadline, by the alarm, and sends it to nobody after that", async () => {
    const server = await enrolledServer(operator);
    const job = command();
    await link(server).submit(job);
    await evictDurableObject(object(server));
    await runInDurableObject(object(server), (_, state) => {
      state.storage.sql.exec("update commands set deadline = 1");
    });
    expect(await runDurableObjectAlarm(object(server))).toBe(true);
    expect(await link(server).wait(job.id, 1_000)).toMatchObject({ state: "expired" });
    const agent = await connected(server);
    const next = command();
    await link(server).submit(next);
    await agent.until(({ commands }) => commands.length > 0, "the next");
    expect(agent.commands.map(({ id }) => id)).toEqual([next.id]);
  });

  it("answers a question at once: nobody is there", async () => {
    const server = await enrolledServer(operator);
    expect(await link(server).ask("db.list", {}, 5_000)).toEqual({ state: "offline" });
  });
});

describe("a command that was sent", () => {
  it("expires a while after its deadline, and the agent is told to stop", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const job = command();
    await link(server).submit(job);
    await agent.until(({ commands }) => commands.length === 1, "the command");
    const deadlineIs = (time: number) =>
      runInDurableObject(object(server), (_, state) => {
        state.storage.sql.exec("update commands set deadline = ?", time);
      });
    await deadlineIs(Date.now() - 1_000);
    await runDurableObjectAlarm(object(server));
    expect(await link(server).wait(job.id, 0)).toMatchObject({ state: "sent" });
    await deadlineIs(1);
    expect(await runDurableObjectAlarm(object(server))).toBe(true);
    expect(await link(server).wait(job.id, 0)).toMatchObject({ state: "expired" });
    await agent.until(({ frames }) => frames.some(({ t }) => t === "cancel"), "the cancel");
  });

  it("goes again after a cut, unless the agent says that it has ended it", async () => {
    const server = await enrolledServer(operator);
    const before = await connected(server);
    const [lost, started, ended] = [command(), command(), command()];
    for (const job of [lost, started, ended]) await link(server).submit(job);
    await before.until(({ commands }) => commands.length === 3, "three commands");
    before.close();
    await evictDurableObject(object(server));
    const after = await connected(server, { greet: false, instance: before.instance });
    after.hello([
      { id: started.id, state: "started" },
      { id: ended.id, state: "ended" },
    ]);
    await after.until(({ commands }) => commands.length === 2, "two again");
    expect(after.commands.map(({ id }) => id)).toEqual([lost.id, started.id]);
    after.result(ended.id, done);
    expect(await link(server).wait(ended.id, 5_000)).toMatchObject({ state: "done" });
  });

  it("and was ended and forgotten meanwhile is acknowledged when the agent still holds it", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server, { greet: false });
    const strange = crypto.randomUUID();
    agent.hello([{ id: strange, state: "ended" }]);
    await agent.until(({ frames }) => frames.length === 1, "the ack");
    expect(agent.frames).toEqual([{ v: 1, t: "ack", ids: [strange] }]);
  });
});

describe("a question", () => {
  it("is answered by the agent, refused by it, or out of time", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    await agent.until(() => true);
    const askedAgain = async (outcome?: CommandOutcome) => {
      const before = agent.frames.length;
      const answer = link(server).ask("db.list", {}, outcome ? 5_000 : 50);
      await agent.until(({ frames }) => frames.length > before, "the question");
      const frame = agent.frames.at(-1);
      if (frame?.t !== "ask") throw new Error("no question was asked");
      if (outcome) agent.send({ v: 1, t: "answer", id: frame.id, outcome });
      return await answer;
    };
    const value = { databases: [{ name: "toko", system: false }] };
    expect(await askedAgain({ ok: true, value })).toEqual({ state: "answered", value });
    expect(await askedAgain(refused)).toMatchObject({ state: "refused" });
    expect(await askedAgain({ ok: true, value: 5 })).toMatchObject({
      state: "refused",
      error: { code: "version" },
    });
    expect(await askedAgain()).toEqual({ state: "timeout" });
  });

  it("whose connection goes is not waited for", async () => {
    const server = await enrolledServer(operator);
    const agent = await connected(server);
    const answer = link(server).ask("db.list", {}, 10_000);
    await agent.until(({ frames }) => frames.length === 1, "the question");
    agent.close();
    expect(await answer).toEqual({ state: "offline" });
  });
});
