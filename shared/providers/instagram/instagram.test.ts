import { afterEach, describe, expect, test } from "vitest";
import { createInstagram, InstagramError } from "../instagram.ts";
import { failureOf, MISHAPS } from "../testing/failures.ts";
import { answer, FakeNetwork } from "../testing/fake-network.ts";

const GRAPH = "https://graph.instagram.com";
const network = new FakeNetwork();
afterEach(() => network.verify());

const client = () =>
  createInstagram({
    appId: "990602627938098",
    appSecret: "app-secret-0001",
    baseUrl: GRAPH,
    authUrl: "https://www.instagram.com",
    tokenUrl: "https://api.instagram.com",
    version: "v25.0",
    timeoutMs: 25,
    fetch: network.fetch,
    now: () => new Date("2026-11-21T10:00:00Z"),
    random: () => 0,
    sleep: async () => undefined,
  });
const auth = { accessToken: "IGAAtoken0001", accountId: "17841400000000001" };

async function faultOf(call: Promise<unknown>): Promise<InstagramError> {
  const error = await failureOf(call);
  if (!(error instanceof InstagramError)) throw new Error("the failure has no fault");
  return error;
}

describe("the sign-in", () => {
  test("asks for exactly what posting needs", () => {
    const url = new URL(
      client().authoriseUrl({ state: "s.t", redirectUrl: "https://app.example/cb" }),
    );
    expect(url.origin + url.pathname).toBe("https://www.instagram.com/oauth/authorize");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "990602627938098",
      redirect_uri: "https://app.example/cb",
      response_type: "code",
      scope: "instagram_business_basic,instagram_business_content_publish",
      state: "s.t",
    });
  });

  const short = {
    access_token: "IGAAshort0001",
    user_id: 9_900_000_000_000_000,
    permissions: ["a"],
  };
  const me = { user_id: "17841400000000001", username: "toko" };
  test.each([
    ["objects", short, me],
    ["lists of one", { data: [{ ...short, permissions: "a,b" }] }, { data: [me] }],
  ])("redeems a code where Meta answers with %s", async (_name, exchanged, who) => {
    network
      .on("POST", "https://api.instagram.com/oauth/access_token", answer(200, exchanged))
      .on(
        "GET",
        `${GRAPH}/access_token?grant_type=ig_exchange_token&client_secret=app-secret-0001&access_token=IGAAshort0001`,
        answer(200, { access_token: "IGAAlong0001", token_type: "bearer", expires_in: 5_184_000 }),
      )
      .on(
        "GET",
        `${GRAPH}/v25.0/me?fields=user_id%2Cusername&access_token=IGAAlong0001`,
        answer(200, who),
      );
    const grant = await client().exchangeCode({
      code: "abc#_",
      redirectUrl: "https://app.example/cb",
    });
    expect(grant).toEqual({
      accessToken: "IGAAlong0001",
      expiresAt: new Date("2027-01-20T10:00:00Z"),
      accountId: "17841400000000001",
      username: "toko",
    });
    expect(Object.fromEntries(new URLSearchParams(network.sent[0]?.body ?? ""))).toMatchObject({
      client_id: "990602627938098",
      client_secret: "app-secret-0001",
      grant_type: "authorization_code",
      redirect_uri: "https://app.example/cb",
      code: "abc",
    });
  });

  test("keeps every digit of an account that comes as a number", async () => {
    network
      .on("POST", "https://api.instagram.com/oauth/access_token", answer(200, short))
      .on(
        "GET",
        `${GRAPH}/access_token?grant_type=ig_exchange_token&client_secret=app-secret-0001&access_token=IGAAshort0001`,
        answer(200, { access_token: "IGAAlong0001", expires_in: 60 }),
      )
      .on(
        "GET",
        `${GRAPH}/v25.0/me?fields=user_id%2Cusername&access_token=IGAAlong0001`,
        async () => new Response('{"user_id":17841400000000001,"username":"toko"}'),
      );
    const grant = await client().exchangeCode({
      code: "abc",
      redirectUrl: "https://app.example/cb",
    });
    expect(grant.accountId).toBe("17841400000000001");
  });

  test("is refused in Meta's older form, without our secret in the log's words", async () => {
    network.on(
      "POST",
      "https://api.instagram.com/oauth/access_token",
      answer(400, {
        error_type: "OAuthException",
        code: 400,
        error_message: "Invalid authorization code",
      }),
    );
    const error = await faultOf(
      client().exchangeCode({ code: "x", redirectUrl: "https://app.example/cb" }),
    );
    expect(error.fault).toBe("rejected");
    expect(error.message).not.toMatch(/app-secret/);
  });
});

describe("publishing", () => {
  test("makes a container, looks at it and publishes it, as documented", async () => {
    network
      .on(
        "POST",
        `${GRAPH}/v25.0/${auth.accountId}/media`,
        answer(200, { id: "17900000000000001" }),
      )
      .on(
        "GET",
        `${GRAPH}/v25.0/17900000000000001?fields=status_code&access_token=IGAAtoken0001`,
        answer(200, { status_code: "FINISHED", id: "17900000000000001" }),
      )
      .on(
        "POST",
        `${GRAPH}/v25.0/${auth.accountId}/media_publish`,
        answer(200, { id: "18000000000000001" }),
      );
    const id = await client().createContainer(auth, {
      imageUrl: "https://app.example/a.jpg",
      caption: "Halo #kopi",
    });
    expect(await client().containerStatus(auth, id)).toBe("FINISHED");
    expect(await client().publish(auth, id)).toBe("18000000000000001");
    expect(Object.fromEntries(new URLSearchParams(network.sent[0]?.body ?? ""))).toEqual({
      image_url: "https://app.example/a.jpg",
      caption: "Halo #kopi",
      access_token: "IGAAtoken0001",
    });
    expect(network.sent[2]?.body).toBe("creation_id=17900000000000001&access_token=IGAAtoken0001");
  });

  test.each([
    [
      { data: [{ quota_usage: 3, config: { quota_total: 50, quota_duration: 86_400 } }] },
      { used: 3, total: 50 },
    ],
    [{ data: [{ quota_usage: 3 }] }, { used: 3, total: null }],
  ])("reads the account's own limit from %j", async (body, limit) => {
    network.on(
      "GET",
      `${GRAPH}/v25.0/${auth.accountId}/content_publishing_limit?fields=quota_usage%2Cconfig&access_token=IGAAtoken0001`,
      answer(200, body),
    );
    expect(await client().publishingLimit(auth)).toEqual(limit);
  });

  test("an id is a number and no path", async () => {
    await expect(client().containerStatus(auth, "../me")).rejects.toMatchObject({
      kind: "invalid",
    });
  });
});

const meta = (code: number, subcode: number | null, isTransient = false) => ({
  error: {
    message: "words",
    type: "IGApiException",
    code,
    ...(subcode && { error_subcode: subcode }),
    is_transient: isTransient,
    fbtrace_id: "x",
  },
});

describe("a refused call", () => {
  test.each([
    [4, 2207051, "stopped", false],
    [4, null, "throttled", true],
    [9, 2207042, "quota", true],
    [24, 2207006, "token", false],
    [24, 2207008, "gone", false],
    [-2, 2207020, "gone", false],
    [-2, 2207003, "unavailable", true],
    [-1, 2207001, "unavailable", true],
    [25, 2207050, "stopped", false],
    [100, 2207028, "rejected", false],
    [190, null, "token", false],
    [9004, 2207052, "picture", false],
    [9007, 2207027, "not_ready", true],
    [36000, 2207004, "picture", false],
    [36001, 2207005, "picture", false],
    [36003, 2207009, "picture", false],
    [36004, 2207010, "caption", false],
    [80002, null, "throttled", true],
    [12345, null, "rejected", false],
  ] as const)("with %i/%s is %s", async (code, subcode, fault, retryable) => {
    network.on(
      "POST",
      `${GRAPH}/v25.0/${auth.accountId}/media_publish`,
      answer(400, meta(code, subcode)),
    );
    const error = await faultOf(client().publish(auth, "17900000000000001"));
    expect(error).toMatchObject({ fault, retryable, outcome: "not_done" });
    expect(error.reason).toMatch(/^[A-Z].{10,}/);
    expect(error.message).not.toMatch(/words|IGAAtoken/);
  });

  test("of Meta's own trouble leaves doubt about a publishing call", async () => {
    network.on(
      "POST",
      `${GRAPH}/v25.0/${auth.accountId}/media_publish`,
      answer(500, meta(-1, 2207001, true)),
    );
    expect(await faultOf(client().publish(auth, "17900000000000001"))).toMatchObject({
      fault: "unknown",
      outcome: "unknown",
    });
  });

  test.each(MISHAPS)(
    "$name is told with its outcome and never repeated by itself",
    async ({ reply, outcome }) => {
      network.on("POST", `${GRAPH}/v25.0/${auth.accountId}/media_publish`, reply);
      expect((await faultOf(client().publish(auth, "17900000000000001"))).outcome).toBe(outcome);
    },
  );
});
