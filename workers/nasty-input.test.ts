import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api, type TestAnswer, type TestCall, testContext } from "./testing/api.ts";
import { envelopeOf, failureBody, isInLanguage } from "./testing/envelopes.ts";
import {
  createWorld,
  jsonSchemaOf,
  operations,
  pathOf,
  sampleOf,
  type TestOperation,
  type World,
} from "./testing/samples.ts";
import { endRepricing } from "./topup/testing/reprice.ts";

/** What no form would send, and people and programs do. */
const TEXTS = [
  "",
  "x".repeat(100_000),
  "' or 1=1; drop table identity_users; --",
  "<script>alert(1)</script><img src=x onerror=alert(1)>",
  "a\u0000b",
  "b\udc00c",
  "\\u0000 \\ud800",
  "\u202e\u200b\ufeff🌾 %00%ff%zz",
  "-1",
  "9".repeat(40),
  "2026-02-30T25:61:61Z",
  "00000000-0000-0000-0000-000000000000",
];
const VALUES: unknown[] = [
  ...TEXTS,
  ...[null, true, -1, 1.5, 1e308, 2 ** 53],
  ...[[], {}, ["\u0000"], { "\u0000": { constructor: { prototype: 1 } } }],
];

type Path = (string | number)[];

/** The way to every part of a value, itself included. */
function partsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => partsOf(inner, [...path, key]))];
}

function withPart(value: unknown, [key, ...rest]: Path, part: unknown): unknown {
  if (key === undefined) return part;
  if (Array.isArray(value)) {
    return value.map((inner, i) => (String(i) === key ? withPart(inner, rest, part) : inner));
  }
  const object = value as Record<string, unknown>;
  return { ...object, [key]: withPart(object[key], rest, part) };
}

/** Asks, and complains of a failure that is ours or that speaks another contract's language. */
async function complaint(path: string, call: TestCall): Promise<string | null> {
  const answer = await api(path, call).catch((error: unknown) => String(error));
  // A hosting server that is not there answers nobody; the panel says so.
  const isOffline = typeof answer !== "string" && answer.status === 503 && path.startsWith("/v1/");
  if (typeof answer !== "string" && (answer.status < 500 || isOffline) && isProper(path, answer)) {
    return null;
  }
  const told =
    typeof answer === "string" ? answer : `${answer.status} ${JSON.stringify(answer.body)}`;
  return `${call.method} ${path} ${String(JSON.stringify(call.json)).slice(0, 300)} -> ${told.slice(0, 200)}`;
}

function isProper(path: string, { status, body }: TestAnswer): boolean {
  if (status < 400) return true;
  const { pathname } = new URL(path, "http://localhost");
  try {
    expect(body).toMatchObject(failureBody(envelopeOf(pathname), status));
    return isInLanguage(pathname, body);
  } catch {
    return false;
  }
}

/** The complaints of many calls, eight at a time. */
async function complaints(calls: [string, TestCall][]): Promise<string[]> {
  const found: string[] = [];
  const left = calls.values();
  const work = async () => {
    for (const call of left) {
      const told = await complaint(...call);
      if (told !== null) found.push(told);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return found;
}

const named = (some: TestOperation[]) =>
  some.map((operation): [string, TestOperation] => [
    `${operation.method} ${operation.path}`,
    operation,
  ]);
const withBody = named(operations.filter((operation) => jsonSchemaOf(operation)));

/** What only a secret, a signature or another party's answer makes acceptable. */
const NEEDS_MORE =
  /login|change-password|agent\/enrol|signin|webhooks|callback|shipping|nickname|marketplace|servers|seller\/payouts|enhance-photo|instagram/;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
// What was odd and fits is a rule for the prices of all.
afterAll(() => endRepricing(testContext()));

describe("any value in any field", () => {
  it.each(withBody)(
    "of %s is taken or refused in its contract's words",
    { timeout: 120_000 },
    async (_, operation) => {
      const path = pathOf(operation, world);
      const { method } = operation;
      const { token } = world.user;
      const sample = () => sampleOf(jsonSchemaOf(operation) ?? {}, world);
      const calls = partsOf(sample()).flatMap((part) =>
        VALUES.map((value): [string, TestCall] => [
          path,
          { method, token, json: withPart(sample(), part, value) },
        ]),
      );
      expect(await complaints(calls)).toEqual([]);
    },
  );

  it("starts from input that is accepted, so that the odd value is what is judged", async () => {
    const refused: string[] = [];
    for (const [name, operation] of withBody) {
      if (NEEDS_MORE.test(name)) continue;
      const json = sampleOf(jsonSchemaOf(operation) ?? {}, world);
      const call = { method: operation.method, token: world.user.token, json };
      const { status, body } = await api(pathOf(operation, world), call);
      const taken = status < 400 || status === 404 || status === 409;
      if (!taken) refused.push(`${name}: ${status} ${JSON.stringify(body)}`);
    }
    expect(refused).toEqual([]);
  });
});

const withParameters = named(
  // The link of a mail is a person's, who gets a page.
  operations.filter(
    ({ parameters, responses }) =>
      parameters.some((one) => one.in !== "header") && !("302" in (responses ?? {})),
  ),
);

describe("any text in any parameter", () => {
  it.each(withParameters)(
    "of %s is taken or refused in its contract's words",
    { timeout: 60_000 },
    async (_, operation) => {
      const { method, parameters } = operation;
      const { token } = world.user;
      const short = TEXTS.map((text) => encodeURIComponent(text.toWellFormed().slice(0, 4000)));
      const texts = [...short, "%ff", "%", "%ED%A0%80", "1&page=2", "[]"];
      const calls = parameters.flatMap(({ name, in: place }) =>
        texts.map((text): [string, TestCall] => {
          if (place === "path")
            return [operation.path.replace(`{${name}}`, text || "-"), { method, token }];
          const path = pathOf(operation, world);
          return [`${path}?${name}=${text}&${name}[]=1&${text}=x`, { method, token }];
        }),
      );
      const twice = parameters
        .filter((one) => one.in === "query")
        .map(({ name }): [string, TestCall] => [
          `${pathOf(operation, world)}?${name}=1&${name}=2`,
          { method, token },
        ]);
      expect(await complaints([...calls, ...twice])).toEqual([]);
    },
  );
});

const withHeaders = named(
  operations.filter(({ parameters }) => parameters.some((one) => one.in === "header")),
);

describe("any text in any header", () => {
  it.each(withHeaders)(
    "of %s is taken or refused in its contract's words",
    async (_, operation) => {
      const json = sampleOf(jsonSchemaOf(operation) ?? {}, world);
      const { method, parameters } = operation;
      const calls = parameters.flatMap(({ name, in: place }) =>
        place !== "header"
          ? []
          : ["", " ", "x".repeat(256), "x".repeat(10_000), "'; --", "<b>", "a,b"].map(
              (text): [string, TestCall] => [
                pathOf(operation, world),
                { method, json, token: world.user.token, headers: { [name]: text } },
              ],
            ),
      );
      expect(await complaints(calls)).toEqual([]);
    },
  );

  it("that signs in is no more than no sign-in", async () => {
    const odd = ["Bearer", "Bearer ", "Basic YTpi", "Bearer  x", "x".repeat(20_000), "bearer null"];
    const calls = odd.flatMap((value): [string, TestCall][] => [
      ["/api/profile", { method: "GET", headers: { authorization: value } }],
      ["/api/seller/store", { method: "GET", headers: { authorization: value } }],
      ["/api/profile", { method: "GET", headers: { cookie: `lumbung_session=${value}` } }],
    ]);
    expect(await complaints(calls)).toEqual([]);
    for (const [path, call] of calls) {
      expect([401, 403], path).toContain((await api(path, call)).status);
    }
  });
});

describe("any body of a notice", () => {
  it.each(["midtrans", "kiriminaja", "shopee", "lazada", "tiktok-shop"])(
    "to %s is refused when nobody signed it",
    async (provider) => {
      const path = `/api/webhooks/${provider}`;
      const deep = `{"order_id":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
      const signed = {
        order_id: "a",
        status_code: "200",
        gross_amount: "1.00",
        signature_key: "x",
      };
      const bodies = [...VALUES, signed, { ...signed, signature_key: "0".repeat(128) }].map(
        (value) => JSON.stringify(value),
      );
      for (const body of [...bodies, deep, "{", "\u0000", "a=b&c=d", "<xml/>"]) {
        const call: TestCall = {
          method: "POST",
          body,
          headers: { "content-type": "application/json" },
        };
        const { status, body: told } = await api(path, call);
        expect([400, 401, 413], body.slice(0, 60)).toContain(status);
        expect(told).toMatchObject(failureBody("market", status));
      }
    },
  );
});
