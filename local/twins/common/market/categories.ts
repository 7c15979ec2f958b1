/** An attribute of a category; one with `values` is chosen from them, another is free text. */
export interface SampleAttribute {
  id: number;
  key: string;
  name: string;
  required: boolean;
  values: readonly { id: number; name: string }[];
}

export interface SampleCategory {
  /** Small numbers, which each platform turns into ids of its own form. */
  id: number;
  parent: number;
  name: string;
  leaf: boolean;
  attributes: readonly SampleAttribute[];
  /** Words in a product's name that make a platform suggest this leaf. */
  words: readonly string[];
  /** TikTok Shop and Tokopedia do not sell everything alike. */
  platforms: readonly ("TIKTOK_SHOP" | "TOKOPEDIA")[];
  /** The parcel's size must be given. */
  sized: boolean;
}

export interface SampleBrand {
  id: number;
  name: string;
}

/** Nobody's brands. */
export const sampleBrands: readonly SampleBrand[] = [
  "Kelud Jaya",
  "Blitar Asli",
  "Candi Sari",
  "Sumber Rasa Kita",
  "Nusa Batik Lokal",
  "Rumah Lumbung",
].map((name, index) => ({ id: 3001 + index, name }));

let attributeId = 100;

function attribute(
  key: string,
  name: string,
  required: boolean,
  values: string[] = [],
): SampleAttribute {
  attributeId += 100;
  const id = attributeId;
  return {
    id,
    key,
    name,
    required,
    values: values.map((one, index) => ({ id: id + index + 1, name: one })),
  };
}

const both = ["TIKTOK_SHOP", "TOKOPEDIA"] as const;

interface Leaf {
  words: string[];
  attributes?: SampleAttribute[];
  platforms?: SampleCategory["platforms"];
  sized?: boolean;
}

let lastId = 0;

function branch(
  name: string,
  parent: number,
  children: (id: number) => SampleCategory[],
): SampleCategory[] {
  lastId += 1;
  const id = lastId;
  const own = {
    id,
    parent,
    name,
    leaf: false,
    attributes: [],
    words: [],
    platforms: both,
    sized: false,
  };
  return [own, ...children(id)];
}

function leaf(
  name: string,
  parent: number,
  { words, attributes = [], platforms = both, sized = false }: Leaf,
): SampleCategory {
  lastId += 1;
  return { id: lastId, parent, name, leaf: true, attributes, words, platforms, sized };
}

const permit = () => attribute("permit_number", "Nomor Izin Edar (P-IRT/BPOM)", true);
const shelfLife = () =>
  attribute("shelf_life", "Masa Simpan", false, ["3 Bulan", "6 Bulan", "12 Bulan"]);
const fabric = () => attribute("material", "Bahan", true, ["Katun", "Rayon", "Linen", "Poliester"]);

/** A small Indonesian tree, three levels deep; ids follow from the order here. */
export const sampleCategories: readonly SampleCategory[] = [
  ...branch("Makanan & Minuman", 0, (food) => [
    ...branch("Kopi & Teh", food, (id) => [
      leaf("Kopi", id, {
        words: ["kopi", "robusta", "arabika"],
        attributes: [
          attribute("coffee_type", "Jenis Kopi", true, ["Arabika", "Robusta", "Campuran"]),
          shelfLife(),
        ],
      }),
      leaf("Teh", id, { words: ["teh"], attributes: [shelfLife()] }),
    ]),
    ...branch("Makanan Ringan", food, (id) => [
      leaf("Keripik", id, { words: ["keripik", "kripik"], attributes: [permit(), shelfLife()] }),
      leaf("Kue Kering", id, { words: ["kue", "cookies"], attributes: [permit()] }),
    ]),
    leaf("Bumbu & Sambal", food, { words: ["sambal", "bumbu"] }),
  ]),
  ...branch("Pakaian", 0, (clothes) => [
    leaf("Kaos", clothes, { words: ["kaos", "t-shirt"], attributes: [fabric()] }),
    leaf("Batik", clothes, {
      words: ["batik", "kemeja"],
      attributes: [fabric(), attribute("pattern", "Motif", false, ["Parang", "Kawung", "Bunga"])],
    }),
  ]),
  ...branch("Rumah Tangga", 0, (home) => [
    ...branch("Dapur", home, (id) => [
      leaf("Peralatan Masak", id, { words: ["wajan", "panci"], sized: true }),
    ]),
    leaf("Kerajinan Tangan", home, { words: ["kerajinan", "anyaman", "gerabah", "topeng"] }),
  ]),
  ...branch("Elektronik", 0, (electronics) => [
    leaf("Aksesori Ponsel", electronics, {
      words: ["casing", "kabel", "charger"],
      attributes: [
        attribute("warranty_type", "Jenis Garansi", true, ["Tanpa Garansi", "Garansi Toko"]),
      ],
    }),
  ]),
  ...branch("Kecantikan", 0, (beauty) => [
    leaf("Sabun", beauty, { words: ["sabun"], attributes: [permit()] }),
    leaf("Minyak Rambut", beauty, { words: ["minyak rambut"], platforms: ["TOKOPEDIA"] }),
  ]),
  leaf("Tanaman Hias", 0, { words: ["tanaman", "bonsai", "bibit"] }),
  leaf("Lainnya", 0, { words: [] }),
];

export function sampleCategory(id: number): SampleCategory | null {
  return sampleCategories[id - 1] ?? null;
}

/** The leaves whose words a product's name holds, best first; the catch-all when there is none. */
export function suggestCategories(name: string): SampleCategory[] {
  const low = name.toLowerCase();
  const found = sampleCategories.filter((one) => one.words.some((word) => low.includes(word)));
  return found.length > 0 ? found : sampleCategories.filter((one) => one.name === "Lainnya");
}

/** `Makanan & Minuman>Kopi & Teh>Kopi`. */
export function categoryPath({ name, parent }: SampleCategory): string {
  const above = sampleCategory(parent);
  return above ? `${categoryPath(above)}>${name}` : name;
}
