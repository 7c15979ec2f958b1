import { expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";

it.each(["/api/debug/env", "/api/debug/auth", "/api/test/vip-connection"])(
  "%s, which told anybody of configuration and balance, leads nowhere, for an admin neither",
  async (path) => {
    const admin = await createUser(["admin"]);
    for (const method of ["GET", "POST"]) {
      for (const token of [undefined, admin.token]) {
        const json = method === "POST" ? { json: {} } : {};
        const { status } = await api(path, { method, ...json, ...(token ? { token } : {}) });
        expect(status, method).toBe(404);
      }
    }
  },
);
