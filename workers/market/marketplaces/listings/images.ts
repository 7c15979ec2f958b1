import type { Ctx } from "../../../../shared/context.ts";
import { type MarketImageType, PLATFORM_NAME } from "../../../../shared/providers/marketplace.ts";
import { pictureKey } from "../../images.ts";
import type { Shop } from "../connections/shop.ts";
import { NotListableError } from "./not-listable.ts";

/** Our uploads are named by what their bytes are. */
const TYPES: Record<string, MarketImageType> = { jpg: "jpeg", png: "png" };

/** Gives a shop pictures, each once: what it has taken is told in the claim of a listing, or was taken here. */
export class ShopImages {
  readonly #ctx: Ctx;
  readonly #shop: Shop;
  readonly #taken = new Map<string, Promise<string>>();
  #unkept: { url: string; ref: string }[] = [];

  constructor(ctx: Ctx, shop: Shop) {
    this.#ctx = ctx;
    this.#shop = shop;
  }

  /** The shop's references. Throws `NotListableError` for a picture that the platform would not take. */
  async refsOf(urls: string[], known: Record<string, string>): Promise<string[]> {
    const refs: string[] = [];
    // One after another: the order is the product's, and a refused one spares the rest.
    for (const url of urls.slice(0, this.#shop.client.limits.images)) {
      refs.push(known[url] ?? (await this.#upload(url)));
    }
    return refs;
  }

  /** What was taken since the last time, to be written down. A crash before that leaves a spare picture there. */
  takeUnkept(): { url: string; ref: string }[] {
    const unkept = this.#unkept;
    this.#unkept = [];
    return unkept;
  }

  #upload(url: string): Promise<string> {
    const known = this.#taken.get(url) ?? this.#send(url);
    this.#taken.set(url, known);
    known.catch(() => this.#taken.delete(url));
    return known;
  }

  async #send(url: string): Promise<string> {
    const { client } = this.#shop;
    const type = TYPES[url.slice(url.lastIndexOf(".") + 1)];
    if (!type) {
      const name = PLATFORM_NAME[client.platform];
      throw new NotListableError(
        `${name} hanya menerima foto JPEG atau PNG, bukan WebP. Ganti foto produk ini`,
      );
    }
    const image = await this.#read(url);
    if (!image) throw new NotListableError("Foto produk tidak ditemukan. Unggah ulang fotonya");
    const ref = await this.#shop.call((auth) => client.uploadImage(auth, image, type));
    this.#unkept.push({ url, ref });
    return ref;
  }

  /** Only our own uploads are read: a stored address of anywhere else is never fetched. */
  async #read(url: string): Promise<Uint8Array | null> {
    const key = pictureKey(url);
    const stored = key === null ? null : await this.#ctx.assets.get(key);
    return stored && new Uint8Array(await stored.arrayBuffer());
  }
}
