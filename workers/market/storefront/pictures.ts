import type { Config } from "../../../shared/config/config.ts";
import { pictureUrl, pictureUrlOrNull } from "../images.ts";
import type { ProductCard, ShopProduct, StoreFacts } from "./snapshot.ts";

/** What a store's object keeps outlives the platform's address, so its pictures get theirs when they are shown. */
export class Pictures {
  readonly #config: Pick<Config, "APP_URL">;

  constructor(config: Pick<Config, "APP_URL">) {
    this.#config = config;
  }

  store(store: StoreFacts): StoreFacts {
    const logo_url = pictureUrlOrNull(this.#config, store.logo_url);
    return { ...store, logo_url, banner_url: pictureUrlOrNull(this.#config, store.banner_url) };
  }

  cards(cards: ProductCard[]): ProductCard[] {
    return cards.map((card) => ({ ...card, image: pictureUrlOrNull(this.#config, card.image) }));
  }

  product(product: ShopProduct): ShopProduct {
    return { ...product, images: product.images.map((url) => pictureUrl(this.#config, url)) };
  }
}
