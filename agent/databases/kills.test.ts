import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AgentCtx } from "../ctx.ts";
import { bundled } from "../testing/bundle.ts";
import { testCtx } from "../testing/ctx.ts";
import { startMariadb, type TestMariadb } from "../testing/mariadb.ts";
import { needs } from "../testing/needs.ts";
import { handlers } from "./index.ts";
import { account, fresh, inventoryOf, noProgress } from "./test-accounts.ts";

type Account = ReturnType<typeof account>;

needs("mariadb")("a command about databases that is killed", () => {
  let mariadb: TestMariadb;
  let ctx: AgentCtx;
  let door: Server;
  let settingsFile: string;
  let act: string;
  let child: ChildProcess | null = null;
  /** The child is killed when it has sent this; what it says then still reaches the server. */
  let last = "";

  beforeAll(async () => {
    mariadb = await startMariadb();
    const { socket, user } = mariadb;
    ctx = testCtx({ mariadb: { socket, user } });
    const way = join(dirname(mariadb.dataDir), "door.sock");
    door = createServer((from) => {
      const to = createConnection(socket);
      for (const end of [from, to]) end.on("error", () => undefined);
      from.on("data", (bytes) => {
        to.write(bytes);
        if (bytes.includes(last)) child?.kill("SIGKILL");
      });
      to.pipe(from);
      from.on("close", () => to.end());
    }).listen(way);
    settingsFile = join(dirname(mariadb.dataDir), "agent.json");
    const settings = { url: "http://127.0.0.1:1", serverId: "srv_test" };
    writeFileSync(settingsFile, JSON.stringify({ ...settings, mariadb: { socket: way, user } }));
    act = bundled(resolve(import.meta.dirname, "../testing/act.ts"));
  });
  afterAll(async () => {
    door?.close();
    await mariadb?.stop();
  });

  const killed = async (type: string, input: object) => {
    const args = [act, settingsFile, type, JSON.stringify(input), "-"];
    child = spawn(process.execPath, args, { stdio: "ignore" });
    const [, signal] = await once(child, "exit");
    expect(signal, type).toBe("SIGKILL");
    // A server that has lost its client may still be at the statement.
    await expect
      .poll(() =>
        mariadb.query("SELECT 1 FROM information_schema.PROCESSLIST WHERE USER = ?", [
          mariadb.user,
        ]),
      )
      .toEqual([]);
  };

  const of = ({ username, host }: Account) => ({ username, host });
  const make = async (given: Account) => {
    await handlers["db.create"](ctx, given, noProgress);
    await handlers["db.create-user"](ctx, given, noProgress);
  };

  it.each([
    // What the agent sends last: the words of a statement, before it is carried out, or the one after it.
    ["db.create", "CREATE DATABASE"],
    ["db.create", "EXECUTE IMMEDIATE"],
    ["db.create-user", "nusantara_set_user"],
    ["db.drop", "EXECUTE IMMEDIATE"],
    ["db.drop", "nusantara_release"],
    ["db.drop-user", "nusantara_drop_user"],
  ] as const)("%s, at %s, ends as if it had not been when it comes again", async (type, word) => {
    const empty = await inventoryOf(mariadb);
    const given = account({ database: fresh("app") });
    const { database, username } = given;
    if (type !== "db.create") await make(given);
    last = word;
    const input = {
      "db.create": { database },
      "db.create-user": given,
      "db.drop": { database },
      "db.drop-user": of(given),
    }[type];
    await killed(type, input);
    const again = handlers[type] as (
      ctx: AgentCtx,
      input: object,
      progress: () => void,
    ) => Promise<unknown>;
    await again(ctx, input, noProgress);
    const there = (await handlers["db.list"](ctx, {}, noProgress)).databases.map(
      ({ name }) => name,
    );
    expect(there.includes(database)).toBe(type !== "db.drop");
    if (type === "db.create-user") {
      const as = { user: username, password: "Str0ng!Pass", database };
      expect(await mariadb.queryAs(as, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    }
    await handlers["db.drop"](ctx, { database }, noProgress);
    await handlers["db.drop-user"](ctx, of(given), noProgress);
    expect(await inventoryOf(mariadb)).toBe(empty);
  });
});
