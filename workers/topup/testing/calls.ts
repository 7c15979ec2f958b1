import { api, type TestAnswer } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";

/** A POST below `/api/orders`, as its user sends it. */
export const postOrder = (
  kind: string,
  user: TestUser,
  json: unknown,
  key?: string,
): Promise<TestAnswer> =>
  api(`/api/orders/${kind}`, {
    method: "POST",
    token: user.token,
    json,
    ...(key ? { headers: { "idempotency-key": key } } : {}),
  });
