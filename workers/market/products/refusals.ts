import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import { AppError } from "../../../shared/http/errors.ts";

/** What the constraints of a product mean to its seller. */
export const PRODUCT_ERRORS: ConstraintErrors = {
  market_products_category_id_market_categories_id_fk: () =>
    new AppError("invalid_input", "Kategori tidak ditemukan", {
      meta: { fields: { category_id: "Kategori tidak ditemukan" } },
    }),
  market_products_active_weighs: () =>
    new AppError("invalid_input", "weight_gram: Isi berat produk (minimal 1 gram) sebelum dijual", {
      meta: { fields: { weight_gram: "Minimal 1 gram" } },
    }),
};
