export interface Sku {
  id: string;
  /** What the platform shows beside `id` in some answers (Lazada's ShopSku). */
  shopSku: string;
  sellerSku: string;
  price: number;
  /** What may still be sold. */
  stock: number;
  /** What open orders hold. */
  held: number;
  /** A campaign has fixed so many: the stock may not go under it. */
  locked: number;
}

export type ProductStatus = "live" | "hidden" | "review" | "deleted";

export interface Product {
  id: string;
  shopId: string;
  name: string;
  categoryId: string;
  status: ProductStatus;
  images: string[];
  skus: Sku[];
  /** What was sent, merged by later updates. */
  body: Record<string, unknown>;
  createdAt: number;
  updatedAt: number;
}

export const stages = ["unpaid", "paid", "shipped", "delivered", "cancelled"] as const;
export type Stage = (typeof stages)[number];

export interface OrderLine {
  productId: string;
  skuId: string;
  sellerSku: string;
  name: string;
  price: number;
  quantity: number;
}

export interface Order {
  id: string;
  shopId: string;
  stage: Stage;
  lines: OrderLine[];
  shippingFee: number;
  total: number;
  buyer: { id: number; name: string; phone: string; address: string; city: string };
  cancelReason: string;
  createdAt: number;
  updatedAt: number;
  paidAt: number | null;
}

export interface Shop {
  id: string;
  name: string;
  /** TikTok's name for the shop in calls. */
  cipher: string;
  authorisedAt: number | null;
}

const buyers = ["Sari Wulandari", "Budi Santoso", "Rina Kartika", "Agus Prasetyo"];

/** Shops, what they sell and what was bought; ids come from the platform. */
export class Goods {
  readonly shops = new Map<string, Shop>();
  readonly products = new Map<string, Product>();
  readonly orders = new Map<string, Order>();
  private readonly skus = new Map<string, { product: Product; sku: Sku }>();
  private readonly byShop = new Map<string, Product[]>();

  add(product: Product): void {
    this.products.set(product.id, product);
    const before = this.byShop.get(product.shopId);
    if (before) before.push(product);
    else this.byShop.set(product.shopId, [product]);
    for (const sku of product.skus) this.skus.set(sku.id, { product, sku });
  }

  /** What a shop has, deleted things too. */
  of(shopId: string): readonly Product[] {
    return this.byShop.get(shopId) ?? [];
  }

  product(shopId: string, id: string): Product | null {
    const found = this.products.get(id);
    return found && found.shopId === shopId && found.status !== "deleted" ? found : null;
  }

  sku(id: string): { product: Product; sku: Sku } | null {
    return this.skus.get(id) ?? null;
  }

  bySellerSku(shopId: string, sellerSku: string): { product: Product; sku: Sku }[] {
    return this.of(shopId)
      .filter((product) => product.status !== "deleted")
      .flatMap((product) =>
        product.skus.filter((sku) => sku.sellerSku === sellerSku).map((sku) => ({ product, sku })),
      );
  }

  ordersOf(shopId: string): Order[] {
    return [...this.orders.values()].filter((order) => order.shopId === shopId);
  }

  /** A buyer takes goods: what they take is no longer for sale. */
  open(
    id: string,
    shopId: string,
    wanted: { product: Product; sku: Sku; quantity: number }[],
    paid: boolean,
    now: number,
  ): Order {
    for (const { sku, quantity } of wanted) {
      sku.stock -= quantity;
      sku.held += quantity;
    }
    const lines = wanted.map(({ product, sku, quantity }) => ({
      productId: product.id,
      skuId: sku.id,
      sellerSku: sku.sellerSku,
      name: product.name,
      price: sku.price,
      quantity,
    }));
    const shippingFee = 12_000;
    const goods = lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
    const number = this.orders.size;
    const order: Order = {
      id,
      shopId,
      stage: paid ? "paid" : "unpaid",
      lines,
      shippingFee,
      total: goods + shippingFee,
      buyer: {
        id: 900_000 + number,
        name: buyers[number % buyers.length] ?? "Pembeli",
        phone: `62812${String(10_000_000 + number)}`,
        address: `Jalan Melati ${number + 1}`,
        city: "Kota Malang",
      },
      cancelReason: "",
      createdAt: now,
      updatedAt: now,
      paidAt: paid ? now : null,
    };
    this.orders.set(id, order);
    return order;
  }

  /** Moves an order on: goods leave with the parcel, and come back when it is cancelled before. */
  move(order: Order, to: Stage, now: number): void {
    const open = order.stage === "unpaid" || order.stage === "paid";
    const leaves = open && (to === "shipped" || to === "delivered");
    for (const line of order.lines) {
      const sku = this.skus.get(line.skuId)?.sku;
      if (!sku) continue;
      if (leaves || (open && to === "cancelled")) sku.held -= line.quantity;
      if (open && to === "cancelled") sku.stock += line.quantity;
    }
    if (to === "paid") order.paidAt = now;
    if (to === "cancelled") order.cancelReason = "Pembeli berubah pikiran";
    order.stage = to;
    order.updatedAt = now;
  }
}
