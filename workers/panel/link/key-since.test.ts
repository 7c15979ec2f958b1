import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { createUser, type TestUser, unique } from "../../testing/factories.ts";
import { enrolledServer, enrolWith, newKey, type TestServer } from "../testing/agents.ts";
import { LINK_HEADERS } from "./views.ts";

let operator: TestUser;
beforeAll(async () => {
  operator = await createUser(["operator"]);
});

const query = <S extends z.ZodType>(text: ReturnType<typeof sql>, row: S) =>
  testContext().db.run(rows(text, row));

describe("a key that is replaced in the very moment that it signs for a connection", () => {
  const since = async ({ id }: TestServer) => {
    const [row] = await query(
      sql`select panel_key_since(enrolled_at) as since from panel_servers where id = ${id}`,
      z.object({ since: z.number() }),
    );
    return row?.since ?? 0;
  };
  /** As the Worker does once it has verified the signature. */
  const handOver = async ({ id }: TestServer, keySince: number) => {
    const headers = {
      ...{ upgrade: "websocket", [LINK_HEADERS.nonce]: unique("nonce") },
      ...{ [LINK_HEADERS.address]: "-", [LINK_HEADERS.keySince]: String(keySince) },
    };
    const object = testContext().serverLinks.getByName(id);
    const { status, webSocket } = await object.fetch("http://link/", { headers });
    webSocket?.accept();
    webSocket?.close();
    return status;
  };

  it("opens none any more, and signs no call", async () => {
    const server = await enrolledServer(operator);
    const verified = await since(server);
    expect(await handOver(server, verified)).toBe(101);
    const path = `/v1/servers/${server.id}/enrolment`;
    const { body } = await api(path, { method: "POST", token: operator.token });
    expect((await enrolWith(body.token, await newKey())).status).toBe(201);
    expect(await since(server)).toBeGreaterThan(verified);
    expect(await handOver(server, verified)).toBe(401);
    const object = testContext().serverLinks.getByName(server.id);
    expect(await object.takeNonce(unique("nonce"), verified)).toBe(false);
    expect(await handOver(server, await since(server))).toBe(101);
  });

  it("opens none of a server that was forgotten meanwhile", async () => {
    const server = await enrolledServer(operator);
    const verified = await since(server);
    const { status } = await api(`/v1/servers/${server.id}`, {
      method: "DELETE",
      token: operator.token,
    });
    expect(status).toBe(200);
    expect(await handOver(server, verified)).toBe(401);
  });
});
