import type { Shop } from "../connections/shop.ts";
import type { OrderNews } from "../orders/poll.ts";
import type { RemoteCategories } from "./categories.ts";
import type { ShopImages } from "./images.ts";

/** What working on a shop's listings takes. */
export interface Desk {
  shop: Shop;
  categories: RemoteCategories;
  images: ShopImages;
  news: OrderNews;
}
