import { beforeAll, describe, expect, it } from "vitest";
import { fetchWorker } from "../../../testing/api.ts";
import {
  createProduct,
  createUser,
  type TestStore,
  type TestUser,
} from "../../../testing/factories.ts";
import { order } from "../../../testing/orders.ts";
import { createShop } from "../../testing/catalogue.ts";
import { storefront } from "../app.tsx";
import { originOf, Visitor } from "../testing/visitor.ts";

let store: TestStore;
let buyer: TestUser;
let orderId: string;

beforeAll(async () => {
  store = (await createShop()).store;
  buyer = await createUser();
  orderId = (await order(buyer, store, [[await createProduct(store), 1]])).body.data.order_id;
});

/** Where the pages' forms are sent to. */
const actions = [
  ...new Set(storefront.routes.filter(({ method }) => method === "POST").map(({ path }) => path)),
];
const pathOf = (action: string) => action.replace(":id", orderId);

describe.each(actions)("what is sent to %s", (action) => {
  it.each([
    ["JSON", "application/json", "{}"],
    ["text", "text/plain", "product_id=1"],
    ["a broken form", "multipart/form-data; boundary=x", "--x broken"],
    ["a form without its boundary", "multipart/form-data", "--x"],
    ["nothing", undefined, undefined],
  ])("as %s is no failure of ours", async (_, type, body) => {
    const origin = originOf(store.slug);
    const answer = await fetchWorker(origin + pathOf(action), {
      method: "POST",
      ...(body === undefined ? {} : { body }),
      headers: {
        origin,
        cookie: `lumbung_session=${buyer.token}`,
        ...(type && { "content-type": type }),
      },
    });
    expect(answer.status).toBeLessThan(500);
    if (answer.status >= 400) expect(await answer.text()).toContain("<h1>");
  });

  it("by somebody whose sign-in has ended leads back to a page that is there", async () => {
    const asked = await new Visitor(store).post(pathOf(action), {});
    const next = new URL(asked.location ?? "/", "http://x").searchParams.get("next") ?? "/";
    const page = await new Visitor(store, buyer).get(next);
    expect([200, 303]).toContain(page.status);
  });
});
