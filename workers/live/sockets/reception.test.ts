import { expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import type { AppSocket, Desk } from "./desk.ts";
import { Reception } from "./reception.ts";

it("lets in a good token though Postgres answers nonsense: a client that is refused does not come back by itself", async () => {
  const user = await createUser();
  const failed: string[] = [];
  const desk = {
    context: () => testContext(),
    profiles: { deliver: () => Promise.reject(new Error("the database system is starting up")) },
    beside: (what: string, work: Promise<unknown>) => {
      void work.catch(() => failed.push(what));
    },
  } as unknown as Desk;
  const nothing = {} as never;
  const reception = new Reception({
    ...{ desk, attendance: nothing, requests: nothing, startChores: () => undefined },
  });
  const request = { headers: {}, query: {}, address: "" };
  const socket = { id: "a", request, recovered: false, data: null } as unknown as AppSocket;
  await reception.connect(socket, { token: user.token });
  expect(socket.data).toMatchObject({
    signIn: { userId: user.userId },
    person: { userId: user.userId, name: "Pengguna" },
  });
  expect(failed).toEqual(["profile"]);
});
