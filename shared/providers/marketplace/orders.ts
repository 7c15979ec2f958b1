/** `returned`: after delivery. `unknown`: a word that this client does not know; act on nothing. */
export type MarketOrderStatus =
  | "unpaid"
  | "to_ship"
  | "shipped"
  | "delivered"
  | "cancelled"
  | "returned"
  | "unknown";

export interface OrderRef {
  orderId: string;
  status: MarketOrderStatus;
  updatedAt: Date | null;
}

export interface OrderPage {
  orders: OrderRef[];
  /** Opaque; null at the end of the span. */
  cursor: string | null;
}

export interface MarketOrderLine {
  lineId: string;
  itemId: string;
  /** Null where the item has no variants. */
  skuId: string | null;
  /** Our SKU, or empty where the seller listed by hand. */
  sku: string;
  name: string;
  quantity: number;
  /** Of one piece, as the buyer pays it. */
  priceIdr: number;
  /** A line can be cancelled while others go on. */
  status: MarketOrderStatus;
}

/** An order without anything about its buyer: stock needs no names. */
export interface MarketOrder {
  orderId: string;
  status: MarketOrderStatus;
  /** The platform's own word, for people. */
  statusText: string;
  createdAt: Date | null;
  updatedAt: Date | null;
  totalIdr: number | null;
  lines: MarketOrderLine[];
}
