import { describe, expect, it } from "vitest";
import { z } from "zod";
import { runJob } from "../../../shared/jobs/jobs.ts";
import { contextWithQueues } from "../../../shared/jobs/test-queues.ts";
import { api, standIns } from "../../testing/api.ts";
import { createProduct, type TestUser } from "../../testing/factories.ts";
import { twin } from "../../testing/orders.ts";
import { instagramJob } from "../instagram/index.ts";
import { addJpeg, letPass, postRow } from "../instagram/testing/post-bench.ts";
import { createShop, failure, refusesStrangers } from "../testing/catalogue.ts";

const base = "/api/seller/instagram";
const call = (user: TestUser, method: string, path: string, json?: unknown) =>
  api(base + path, { method, token: user.token, ...(json !== undefined && { json }) });

const Authorised = z.object({ account_id: z.string(), code: z.string() });
const State = z.object({
  accounts: z.array(z.object({ posts: z.array(z.object({ caption: z.string() })) })),
});

/** The seller agrees at Instagram and comes back with the code. */
async function connect(seller: TestUser): Promise<string> {
  const link = (await call(seller, "GET", "/authorise")).body.data;
  const asked = new URL(link.url).searchParams;
  const given = Authorised.parse(
    await twin(standIns().instagram, "/_authorise", {
      redirect_uri: asked.get("redirect_uri"),
      state: asked.get("state"),
    }),
  );
  const connected = await call(seller, "POST", "/connect", { code: given.code, state: link.state });
  expect([connected.status, connected.body.data]).toEqual([
    200,
    { status: "connected", username: expect.any(String) },
  ]);
  return given.account_id;
}

const missing = [404, failure("Kiriman tidak ditemukan", {})];

describe("a seller's Instagram", () => {
  it("is connected, posts at its time by the real exchange, and shows what became of it", async () => {
    const { seller, store } = await createShop();
    expect((await call(seller, "GET", "/status")).body.data).toMatchObject({
      connected: false,
      status: "disconnected",
    });
    const account = await connect(seller);
    expect((await call(seller, "GET", "/status")).body.data).toMatchObject({
      connected: true,
      status: "connected",
    });
    const product = await createProduct(store);
    const image_url = await addJpeg(contextWithQueues().ctx, seller);
    const made = await call(seller, "POST", "/post", {
      caption: "Kopi robusta #kopi",
      image_url,
      product_id: product.id,
      scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    expect([made.status, made.body.error]).toEqual([201, null]);
    expect(made.body.data).toMatchObject({
      caption: "Kopi robusta #kopi",
      image_url,
      product_id: product.id,
      status: "draft",
      state: "scheduled",
      scheduled_at_local: expect.stringContaining("WIB"),
    });
    const { id } = made.body.data;
    expect((await call(seller, "POST", `/posts/${id}/publish`)).body.data).toMatchObject({
      state: "scheduled",
    });
    const jobId = String((await postRow(id))?.job_id);
    for (let round = 0; round < 3; round += 1) {
      await letPass(id);
      await runJob(contextWithQueues().ctx, jobId, [instagramJob({ firstLookMs: 250 })]);
    }
    expect((await call(seller, "GET", `/posts/${id}`)).body.data).toMatchObject({
      status: "published",
      state: "published",
      permalink: expect.stringContaining("https://www.instagram.com/p/"),
      reason: null,
    });
    const state = State.parse(
      await twin(standIns().instagram, `/_state?account_id=${account}`, undefined, "GET"),
    );
    expect(state.accounts[0]?.posts).toEqual([
      expect.objectContaining({ caption: expect.stringContaining(`/produk/${product.id}`) }),
    ]);
    const listed = await call(seller, "GET", "/posts?state=published");
    expect(listed.body).toMatchObject({ data: [{ id }], meta: { page: 1, limit: 20, total: 1 } });
    expect((await call(seller, "GET", "/posts?state=draft")).body.data).toEqual([]);
  });

  it("keeps drafts that can be changed and deleted", async () => {
    const { seller } = await createShop();
    const made = await call(seller, "POST", "/post", { caption: "Satu" });
    const { id } = made.body.data;
    const changed = await call(seller, "PUT", `/posts/${id}`, { caption: "Dua" });
    expect([changed.status, changed.body.data]).toEqual([
      200,
      expect.objectContaining({ caption: "Dua", state: "draft", status: "draft" }),
    ]);
    expect((await call(seller, "DELETE", `/posts/${id}`)).body.data).toEqual({ id });
    const gone = await call(seller, "GET", `/posts/${id}`);
    expect([gone.status, gone.body]).toEqual(missing);
  });

  it("answers for another's post, a missing one and rubbish alike", async () => {
    const { seller } = await createShop();
    const { seller: other } = await createShop();
    const { id } = (await call(seller, "POST", "/post", { caption: "Satu" })).body.data;
    for (const wanted of [id, crypto.randomUUID(), encodeURIComponent("x'; --")]) {
      for (const [method, path, json] of [
        ["GET", "", undefined],
        ["PUT", "", { caption: "x" }],
        ["DELETE", "", undefined],
        ["POST", "/publish", undefined],
      ] as const) {
        const answer = await call(other, method, `/posts/${wanted}${path}`, json);
        expect([answer.status, answer.body]).toEqual(missing);
      }
    }
    const foreign = await createProduct((await createShop()).store);
    const stolen = await call(seller, "POST", "/post", { product_id: foreign.id });
    expect([stolen.status, stolen.body]).toEqual([404, failure("Produk tidak ditemukan", {})]);
  });

  it("refuses in words what Instagram would not take", async () => {
    const { seller } = await createShop();
    for (const [json, field] of [
      [{ caption: "x".repeat(2_201) }, "caption"],
      [{ caption: 1 }, "caption"],
      [{ image_url: "https://evil.example/a.jpg" }, "image_url"],
      [{ scheduled_at: "2020-01-01T00:00" }, "scheduled_at"],
      [{ product_id: "x" }, "product_id"],
    ] as const) {
      const { status, body } = await call(seller, "POST", "/post", json);
      expect([status, body]).toEqual([400, failure(expect.stringContaining(field))]);
    }
    const code = await call(seller, "POST", "/connect", { code: "x", state: "x" });
    expect([code.status, code.body]).toEqual([
      400,
      failure("state: Tautan otorisasi tidak dikenal"),
    ]);
  });

  it("is left by its seller", async () => {
    const { seller } = await createShop();
    await connect(seller);
    expect((await call(seller, "POST", "/disconnect")).body.data).toEqual({
      status: "disconnected",
    });
    expect((await call(seller, "POST", "/disconnect")).status).toBe(200);
    expect((await call(seller, "GET", "/status")).body.data).toMatchObject({ connected: false });
  });

  it("is for sellers", async () => {
    for (const [method, path] of [
      ["GET", "/status"],
      ["GET", "/authorise"],
      ["POST", "/connect"],
      ["POST", "/disconnect"],
      ["POST", "/post"],
      ["GET", "/posts"],
      ["GET", "/posts/x"],
      ["PUT", "/posts/x"],
      ["DELETE", "/posts/x"],
      ["POST", "/posts/x/publish"],
    ] as const) {
      const sent = ["/connect", "/post"].includes(path) || method === "PUT" ? { json: {} } : {};
      await refusesStrangers(base + path, { method, ...sent }, "seller");
    }
  });
});
