import { z } from "zod";
import { StoreChanges } from "../../schemas/stores.ts";
import { saveStore } from "../../stores.ts";
import { quoted } from "../data.ts";
import { tool } from "./tool.ts";

const text = { type: "string" };
const number = { type: "number" };
const LABELS: Record<string, string> = {
  name: "nama",
  description: "deskripsi",
  address: "alamat",
};

const summaryOf = (input: Record<string, unknown>) =>
  Object.entries(input)
    .map(([field, value]) => {
      const shown = typeof value === "number" ? String(value) : quoted(value);
      return `${LABELS[field] ?? field} → ${shown}`;
    })
    .join(", ");

export const updateStoreTool = tool({
  name: "update_store_info",
  description: "Update store details like name, description, address",
  properties: { name: text, description: text, address: text },
  role: "seller",
  writes: true,
  input: StoreChanges.pick({ name: true, description: true, address: true }).refine(
    (input) => Object.keys(input).length > 0,
    "Tidak ada yang diubah",
  ),
  summary: (input) => `Ubah info toko: ${summaryOf(input)}`,
  run: async (ctx, input) => {
    await saveStore(ctx, input);
    return { told: { updated: Object.keys(input) } };
  },
});

const { lat, lng, address } = StoreChanges.shape;

export const locateStoreTool = tool({
  name: "set_store_location",
  description: "Set store GPS location for Google Maps",
  properties: { lat: number, lng: number, address: text },
  required: ["lat", "lng"],
  role: "seller",
  writes: true,
  input: z.object({ lat: lat.unwrap().unwrap(), lng: lng.unwrap().unwrap(), address }),
  summary: (input) => `Ubah lokasi toko: ${summaryOf(input)}`,
  run: async (ctx, input) => {
    await saveStore(ctx, input);
    return { told: { updated: Object.keys(input) } };
  },
});
