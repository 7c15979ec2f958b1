import { notFound } from "../../shared/http/errors.ts";
import { isUuid } from "./schemas/fields.ts";

const known = (missing: () => Error) => (id: string) => {
  if (!isUuid(id)) throw missing();
  return id;
};

export const storeNotFound = () => notFound("Store not found");
export const productNotFound = () => notFound("Produk tidak ditemukan");
export const promoNotFound = () => notFound("Promo tidak ditemukan");
export const bannerNotFound = () => notFound("Banner tidak ditemukan");
export const orderNotFound = () => notFound("Order not found");
export const payoutNotFound = () => notFound("Pencairan tidak ditemukan");

/** An id as it came; what is no id at all is as missing as an id of nothing. */
export const storeId = known(storeNotFound);
export const productId = known(productNotFound);
export const promoId = known(promoNotFound);
export const bannerId = known(bannerNotFound);
export const orderId = known(orderNotFound);
export const payoutId = known(payoutNotFound);
