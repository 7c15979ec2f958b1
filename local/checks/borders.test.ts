import { describe, expect, it } from "vitest";
import { wrongArrow, wrongImports } from "./borders.ts";

const WRONG: [string, string][] = [
  ["shared/payments/refunds.ts", "workers/market/index.ts"],
  ["shared/payments/refunds.ts", "workers/market/tables.ts"],
  ["shared/http/api.ts", "workers/api.ts"],
  ["shared/db/client.ts", "local/settings.ts"],
  ["shared/db/client.ts", "workers/testing/factories.ts"],
  ["workers/market/cart.ts", "workers/identity/sessions.ts"],
  ["workers/market/orders/checkout.ts", "workers/identity/tables.ts"],
  ["workers/market/orders/checkout.ts", "workers/identity/routes/auth.ts"],
  ["workers/market/cart.ts", "workers/api.ts"],
  ["workers/market/cart.ts", "workers/index.ts"],
  ["workers/market/cart.ts", "workers/testing/factories.ts"],
  ["workers/market/cart.ts", "workers/identity/test-people.ts"],
  ["local/neon/endpoint.ts", "local/neon/testing.ts"],
  ["workers/market/cart.ts", "local/settings.ts"],
  ["workers/index.ts", "local/settings.ts"],
  ["workers/index.ts", "migrations/run.ts"],
  ["local/twins/midtrans/twin.ts", "shared/crypto/index.ts"],
  ["local/twins/midtrans/twin.ts", "workers/api.ts"],
  ["agent/relay/signature.ts", "shared/providers/relay.ts"],
  ["local/cloud.ts", "agent/relay/server.ts"],
  ["agent/daemon.ts", "shared/crypto/index.ts"],
  ["shared/agent-protocol/frames.ts", "shared/crypto/index.ts"],
  ["workers/panel/sites.ts", "agent/handlers.ts"],
];

const RIGHT: [string, string][] = [
  ["shared/payments/refunds.ts", "shared/http/errors.ts"],
  ["workers/market/cart.ts", "shared/http/errors.ts"],
  ["workers/market/cart.ts", "workers/market/orders/checkout.ts"],
  ["workers/market/cart.ts", "workers/identity/index.ts"],
  ["workers/market/tables/sales.ts", "workers/identity/tables.ts"],
  ["workers/api.ts", "workers/identity/routes.ts"],
  ["workers/index.ts", "workers/market/index.ts"],
  ["workers/market/cart.test.ts", "workers/identity/tables.ts"],
  ["local/checks/routes.ts", "workers/api.ts"],
  ["local/twins/midtrans/twin.ts", "local/twins/common/server.ts"],
  ["agent/daemon.ts", "shared/agent-protocol/index.ts"],
  ["workers/panel/jobs.ts", "shared/agent-protocol/index.ts"],
];

describe("the borders", () => {
  it.each(WRONG)("forbid that %s imports %s", (file, target) => {
    expect(wrongArrow(file, target)).toEqual(expect.any(String));
  });

  it.each(RIGHT)("allow that %s imports %s", (file, target) => {
    expect(wrongArrow(file, target)).toBeNull();
  });

  it.each([
    'import { a } from "../identity/sessions.ts";',
    'import type { A } from "../identity/sessions.ts";',
    'import "../identity/sessions.ts";',
    'export { a } from "../identity/sessions.ts";',
    'const a = await import("../identity/sessions.ts");',
    'import {\n  a,\n  b,\n} from "../identity/sessions.ts";',
    "import a from '../identity/sessions.ts';",
  ])("see the import in: %s", (text) => {
    expect(wrongImports("workers/market/cart.ts", text)).toEqual([
      "workers/market/cart.ts imports workers/identity/sessions.ts: use workers/identity/index.ts",
    ]);
  });

  it("let a package and a neighbour pass", () => {
    const text = 'import { z } from "zod";\nimport { a } from "./search.ts";';
    expect(wrongImports("workers/market/cart.ts", text)).toEqual([]);
  });
});
