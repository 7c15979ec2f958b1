import { z } from "zod";
import { formatRupiah } from "../../../../shared/money/format.ts";
import { createProduct } from "../../products/create.ts";
import { deleteProduct } from "../../products/delete.ts";
import { listOwnProducts } from "../../products/read.ts";
import { updateProduct } from "../../products/update.ts";
import { NewProduct, ProductChanges, SellerProductQuery } from "../../schemas/products.ts";
import { quoted } from "../data.ts";
import { type Names, tool } from "./tool.ts";

const text = { type: "string" };
const number = { type: "number" };
const statuses = { type: "string", enum: ["draft", "active", "archived"] };
const productId = z.string().max(100);

const PRODUCT_FIELDS = [
  "name",
  "description",
  "price",
  "stock",
  "weight_gram",
  "category_id",
  "status",
];
const LABELS: Record<string, string> = {
  name: "nama",
  description: "deskripsi",
  price: "harga",
  stock: "stok",
  weight_gram: "berat (gram)",
  category_id: "kategori",
  status: "status",
};

const shown = (field: string, value: unknown, names: Names): string => {
  if (value === null || value === undefined) return "(kosong)";
  if (field === "price") return formatRupiah(Number(value));
  if (field === "category_id") return quoted(names[String(value)] ?? value);
  return typeof value === "number" || field === "status" ? String(value) : quoted(value);
};

const pick = (row: Record<string, unknown>, fields: string[]) =>
  Object.fromEntries(fields.map((field) => [field, row[field] ?? null]));

export const createProductTool = tool({
  name: "create_product",
  description: "Create a new product in the seller store",
  properties: {
    name: text,
    price: number,
    stock: number,
    description: text,
    category_id: text,
    weight_gram: { ...number, description: "Needed before it can be sold" },
    status: statuses,
  },
  required: ["name", "price", "stock"],
  role: "seller",
  writes: true,
  input: NewProduct.omit({ images: true }),
  summary: ({ name, ...fields }, _, names) => {
    const parts = Object.entries(fields)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([field, value]) => `${LABELS[field] ?? field} ${shown(field, value, names)}`);
    return `Buat produk ${quoted(name)}: ${parts.join(", ")}`;
  },
  run: async (ctx, input, actionId) => {
    const product = await createProduct(ctx, { ...input, images: [] }, actionId);
    const { id, status, price, stock } = product;
    const after = pick(product, PRODUCT_FIELDS);
    return { told: { id, status, price, stock }, made: { kind: "market_product", id, after } };
  },
});

export const findProductsTool = tool({
  name: "find_products",
  description:
    "Find products of the seller store by words of their name, with ids, prices and stock",
  properties: { search: text, status: statuses, limit: { ...number, default: 10 } },
  role: "seller",
  writes: false,
  input: z.object({
    search: SellerProductQuery.shape.search,
    status: SellerProductQuery.shape.status,
    limit: z.number().int().min(1).max(25).default(10),
  }),
  run: async (ctx, input) => {
    const { rows, total } = await listOwnProducts(ctx, { ...input, page: 1 });
    const products = rows.map(({ id, name, description, price, stock, reserved, status }) => {
      const about = description?.slice(0, 300) ?? null;
      return { id, name, description: about, price, stock, reserved, status };
    });
    return { told: { total, products }, source: "produk" };
  },
});

export const updateProductTool = tool({
  name: "update_product",
  description:
    "Change a product of the seller store: price, stock, status, name, description, weight",
  properties: {
    product_id: text,
    name: text,
    description: text,
    price: number,
    stock: number,
    weight_gram: number,
    category_id: text,
    status: statuses,
  },
  required: ["product_id"],
  role: "seller",
  writes: true,
  input: ProductChanges.omit({ images: true })
    .extend({ product_id: productId })
    .refine((input) => Object.keys(input).length > 1, "Tidak ada yang diubah"),
  target: ({ product_id }) => product_id,
  summary: ({ product_id: _, ...changes }, before, names) => {
    const parts = Object.entries(changes).map(
      ([field, value]) =>
        `${LABELS[field] ?? field} ${shown(field, before?.[field], names)} → ${shown(field, value, names)}`,
    );
    return `Ubah produk ${quoted(before?.name)}: ${parts.join(", ")}`;
  },
  run: async (ctx, { product_id, ...changes }) => {
    const product = await updateProduct(ctx, product_id, changes);
    const { id, price, stock, status } = product;
    return { told: { id, price, stock, status } };
  },
});

export const deleteProductTool = tool({
  name: "delete_product",
  description: "Take a product of the seller store off for good",
  properties: { product_id: text },
  required: ["product_id"],
  role: "seller",
  writes: true,
  input: z.object({ product_id: productId }),
  target: ({ product_id }) => product_id,
  summary: (_, before) => `Hapus produk ${quoted(before?.name)}`,
  run: async (ctx, { product_id }) => ({ told: await deleteProduct(ctx, product_id) }),
});
