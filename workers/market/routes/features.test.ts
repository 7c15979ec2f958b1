import { describe, expect, it } from "vitest";
import { api, testContext } from "../../testing/api.ts";
import { createProduct, createUser, unique } from "../../testing/factories.ts";
import { FEATURE_NAMES, type FeatureName } from "../admin/features.ts";
import { setFlags } from "../admin/flags.ts";
import { actWithYes } from "../assistant/testing/acts.ts";
import { toolsFor } from "../assistant/tools/index.ts";
import { createShop, failure, imageUrl, type TestShop } from "../testing/catalogue.ts";

interface Goods extends TestShop {
  productId: string;
}
const promo = () => ({ code: unique("P").slice(0, 12), type: "fixed", value: 100 });
const period = { starts_at: "2026-01-01", ends_at: "2090-01-01" };

/** The work of each feature: a name in the registry that nothing reads does not compile here, or is not refused. */
const WORK: Record<FeatureName, (goods: Goods) => [string, object]> = {
  marketplace_sync: () => ["/api/seller/marketplace/sync", { platform: "shopee" }],
  ai_chat: () => ["/api/ai/chat", { message: "halo" }],
  instagram: () => ["/api/seller/instagram/post", { caption: "Segar" }],
  photo_enhance: ({ productId, seller }) => [
    `/api/seller/products/${productId}/enhance-photo`,
    { image_url: imageUrl(seller) },
  ],
  promo_codes: () => ["/api/seller/promo", { ...promo(), ...period }],
  payouts: () => ["/api/seller/payouts", { amount: 50_000 }],
};

const TOOL_INPUTS: Record<string, (goods: Goods) => Record<string, unknown>> = {
  sync_to_marketplace: () => ({ platform: "shopee" }),
  create_promo: () => ({ ...promo(), ...period }),
  draft_instagram_post: () => ({ caption: "Segar" }),
  enhance_product_photo: ({ productId, seller }) => ({
    product_id: productId,
    image_url: imageUrl(seller),
  }),
};

async function openGoods(): Promise<Goods> {
  const shop = await createShop();
  return { ...shop, productId: (await createProduct(shop.store)).id };
}

async function switchOff({ store }: Goods, flag: FeatureName): Promise<void> {
  const admin = await createUser(["admin"]);
  await setFlags(testContext(admin), store.id, { [flag]: false });
}

describe("each feature of the registry", () => {
  it.each(FEATURE_NAMES)("is read: without %s its work is refused", async (flag) => {
    const goods = await openGoods();
    const [path, json] = WORK[flag](goods);
    const work = () => api(path, { method: "POST", token: goods.seller.token, json });
    await switchOff(goods, flag);
    const { status, body } = await work();
    expect([status, body]).toEqual([
      403,
      failure("Fitur ini sedang dinonaktifkan untuk toko Anda", { feature: flag }),
    ]);
  });

  const governed = toolsFor(["seller", "admin"]).filter(({ feature }) => feature !== undefined);
  it.each(governed.map(({ definition, feature }) => [definition.name, feature] as const))(
    "is asked by the assistant too: %s",
    async (name, flag) => {
      const goods = await openGoods();
      await switchOff(goods, flag ?? "ai_chat");
      const input = TOOL_INPUTS[name]?.(goods) ?? {};
      await expect(actWithYes(testContext(goods.seller), [name, input])).rejects.toThrow(
        /dinonaktifkan/,
      );
    },
  );
});
