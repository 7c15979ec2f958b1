import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pushSign } from "./signature.ts";
import { pushKey, type Seller, type Shopee, startShopee } from "./testing.ts";

let shopee: Shopee;
let app: ReturnType<typeof createServer>;
let pushUrl: string;
/** What the app answers pushes with. */
let reply = { status: 204, body: "" };
const got: { authorization: string; raw: string }[] = [];

beforeAll(async () => {
  app = createServer(async (request, response) => {
    let raw = "";
    for await (const chunk of request) raw += String(chunk);
    got.push({ authorization: request.headers.authorization ?? "", raw });
    response.writeHead(reply.status).end(reply.body);
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  pushUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}/api/webhooks/shopee`;
  shopee = await startShopee({ pushUrl, pushKey });
});
afterAll(async () => {
  await shopee.stop();
  app.close();
  app.closeAllConnections();
});

const list = (seller: Seller, query: Record<string, string>) =>
  shopee.ask("GET", "order/get_order_list", { seller, query });
const span = (days: number) => {
  const to = Math.floor(Date.now() / 1000) + 10;
  return {
    time_range_field: "update_time",
    time_from: String(to - days * 86_400),
    time_to: String(to),
  };
};
const buy = (seller: Seller, quantity = 2, more = {}) =>
  shopee.hand("buy", { shop_id: seller.shopId, seller_sku: "KOPI-1", quantity, ...more });

describe("an order", () => {
  it("takes stock, and gives it back when it is cancelled", async () => {
    const seller = await shopee.seller();
    await shopee.add(seller);
    const { body: order } = await buy(seller, 4);
    const sku = async () => (await shopee.state(seller.shopId)).body.products[0].skus[0];
    expect(await sku()).toMatchObject({ stock: 6, held: 4 });
    await shopee.hand(`move/${order.id}`, { to: "cancelled" });
    expect(await sku()).toMatchObject({ stock: 10, held: 0 });
  });

  it("for more than there is happens by force alone", async () => {
    const seller = await shopee.seller();
    await shopee.add(seller);
    expect(await buy(seller, 11)).toMatchObject({ status: 409, body: { error: "only 10 left" } });
    expect((await buy(seller, 11, { force: true })).status).toBe(200);
  });

  it("is pushed with the push key's signature, and told in full by the detail call", async () => {
    const seller = await shopee.seller();
    const item = await shopee.add(seller);
    const { body: order } = await buy(seller);
    const push = got.findLast(({ raw }) => raw.includes(order.id));
    expect(push?.authorization).toBe(pushSign(pushKey, pushUrl, push?.raw ?? ""));
    expect(JSON.parse(push?.raw ?? "")).toMatchObject({
      code: 3,
      shop_id: Number(seller.shopId),
      data: { ordersn: order.id, status: "READY_TO_SHIP" },
    });
    const query = { order_sn_list: order.id, response_optional_fields: "item_list,total_amount" };
    const { body } = await shopee.ask("GET", "order/get_order_detail", { seller, query });
    expect(body.response.order_list).toMatchObject([
      {
        order_status: "READY_TO_SHIP",
        total_amount: 102_000,
        item_list: [{ item_id: item, item_sku: "KOPI-1", model_quantity_purchased: 2 }],
      },
    ]);
    const lean = await shopee.ask("GET", "order/get_order_detail", {
      seller,
      query: { order_sn_list: order.id },
    });
    expect(lean.body.response.order_list[0]).not.toHaveProperty("item_list");
  });
});

describe("a push", () => {
  it.each([
    ["200 with an empty body", { status: 200, body: "" }, "delivered"],
    ["204", { status: 204, body: "" }, "delivered"],
    ["200 with JSON", { status: 200, body: '{"ok":true}' }, "waiting"],
    ["500", { status: 500, body: "" }, "waiting"],
  ])("answered with %s is then %s", async (_name, answer, state) => {
    const seller = await shopee.seller();
    await shopee.add(seller);
    reply = answer;
    const { body: order } = await buy(seller);
    reply = { status: 204, body: "" };
    expect(order.notices[0].state).toBe(state);
  });

  it("is forged, lost and doubled on demand", async () => {
    const seller = await shopee.seller();
    await shopee.add(seller);
    await shopee.dial(seller.shopId, { forge: { count: 1 } });
    const { body: forged } = await buy(seller, 1);
    const push = got.findLast(({ raw }) => raw.includes(forged.id));
    expect(push?.authorization).not.toBe(pushSign(pushKey, pushUrl, push?.raw ?? ""));
    await shopee.dial(seller.shopId, { lose: true });
    const { body: lost } = await buy(seller, 1);
    expect(lost.notices[0].state).toBe("lost");
    await shopee.dial(seller.shopId, {});
    const again = await shopee.hand(`notify/${lost.id}`, { times: 3 });
    expect(again.body.deliveries).toHaveLength(3);
    expect(got.filter(({ raw }) => raw.includes(lost.id))).toHaveLength(3);
  });
});

describe("the list of orders", () => {
  it("covers at most fifteen days and goes page by page", async () => {
    const seller = await shopee.seller();
    await shopee.add(seller);
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.push((await buy(seller, 1)).body.id);
    const wide = await list(seller, { ...span(16), page_size: "2" });
    expect(wide.body.error).toBe("order.order_list_invalid_time");
    const first = (await list(seller, { ...span(15), page_size: "2" })).body.response;
    expect(first).toMatchObject({
      more: true,
      order_list: [{ order_sn: ids[0] }, { order_sn: ids[1] }],
    });
    const query = { ...span(15), page_size: "2", cursor: first.next_cursor };
    const rest = (await list(seller, query)).body.response;
    expect(rest).toMatchObject({
      more: false,
      next_cursor: "",
      order_list: [{ order_sn: ids[2] }],
    });
    expect(
      (await list(await shopee.seller(), { ...span(1), page_size: "9" })).body.response.order_list,
    ).toEqual([]);
  });
});

describe("faults", () => {
  it("a shop has calls in stock and gets new ones with time; another shop has its own", async () => {
    let now = Date.now();
    const strict = await startShopee({ callsPerSecond: 3, keepPushes: true, clock: () => now });
    const [seller, other] = [await strict.seller(), await strict.seller()];
    const ask = async (as: Seller) =>
      (await strict.ask("GET", "shop/get_shop_info", { seller: as })).body.error;
    const four = [await ask(seller), await ask(seller), await ask(seller), await ask(seller)];
    expect(four).toEqual(["", "", "", "error_rate_limit"]);
    expect(await ask(other)).toBe("");
    now += 334;
    expect([await ask(seller), await ask(seller)]).toEqual(["", "error_rate_limit"]);
    const { calls } = (await strict.state(seller.shopId)).body.shops[0];
    expect(calls["/api/v2/shop/get_shop_info"]).toEqual({ all: 6, limited: 2 });
    await strict.stop();
  });

  it("a create answered with an error, or not at all, has made its item all the same", async () => {
    const seller = await shopee.seller();
    const body = await shopee.item();
    const add = () => shopee.ask("POST", "product/add_item", { seller, body });
    const path = "/product/add_item";
    await shopee.dial(seller.shopId, { errorInside: { value: "error_server", acts: true, path } });
    expect((await add()).body.error).toBe("error_server");
    await shopee.dial(seller.shopId, { down: { acts: true, path } });
    await expect(add()).rejects.toThrow();
    expect((await shopee.state(seller.shopId)).body.products).toHaveLength(2);
  });

  it("a storm, an expired and a revoked token come when they are dialled", async () => {
    const seller = await shopee.seller();
    const ask = () => shopee.ask("GET", "shop/get_shop_info", { seller });
    await shopee.dial(seller.shopId, { storm: 429 });
    expect(await ask()).toMatchObject({ status: 429, body: { error: "error_rate_limit" } });
    await shopee.dial(seller.shopId, { expireToken: { count: 1 } });
    expect((await ask()).body.error).toBe("invalid_acceess_token");
    expect((await ask()).body.error).toBe("");
    await shopee.dial(seller.shopId, { revokeToken: true });
    expect((await ask()).body.error).toBe("shop_no_linked");
  });

  it("half a batch fails under a success", async () => {
    const seller = await shopee.seller();
    const ids = [await shopee.add(seller), await shopee.add(seller), await shopee.add(seller)];
    await shopee.dial(seller.shopId, { halfBatch: "sibuk" });
    const item_list = ids.map((item_id) => ({ item_id, unlist: true }));
    const { body } = await shopee.ask("POST", "product/unlist_item", {
      seller,
      body: { item_list },
    });
    expect(body.response.success_list.map((one: { item_id: number }) => one.item_id)).toEqual([
      ids[0],
      ids[2],
    ]);
    expect(body.response.failure_list).toEqual([{ item_id: ids[1], failed_reason: "sibuk" }]);
  });
});

it("shows people the shop, its goods with a button to buy, and its orders", async () => {
  const seller = await shopee.seller();
  await shopee.add(seller, { item_name: "Kopi <b>Hitam</b>" });
  await buy(seller);
  const shops = await (await fetch(shopee.url)).text();
  expect(shops).toContain(`/?shop_id=${seller.shopId}`);
  const page = await (await fetch(`${shopee.url}/?shop_id=${seller.shopId}`)).text();
  expect(page).toContain("Kopi &lt;b&gt;Hitam&lt;/b&gt;");
  expect(page).toContain(">Beli</button>");
  expect(page).toContain("dibayar, siap dikirim");
});
