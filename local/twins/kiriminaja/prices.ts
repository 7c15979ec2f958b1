import type { Json } from "../common/fields.ts";
import type { District } from "./districts.ts";

interface Service {
  courier: string;
  courierName: string;
  type: string;
  name: string;
  group: "regular" | "cargo" | "next_day";
  /** Rupiah a kilogram within the city, the province, the island group, and beyond it; 0: not served. */
  perKg: readonly [number, number, number, number];
  etd: readonly [string, string, string, string];
  minimumKg: number;
}

/** Prices of the twin's own making: stable, plausible, the same for the same question. */
export const services: readonly Service[] = [
  {
    courier: "jne",
    courierName: "JNE",
    type: "REG23",
    name: "JNE Reguler",
    group: "regular",
    perKg: [8000, 10000, 18000, 36000],
    etd: ["1-2", "2-3", "2-4", "3-6"],
    minimumKg: 1,
  },
  {
    courier: "jne",
    courierName: "JNE",
    type: "YES23",
    name: "JNE YES",
    group: "next_day",
    perKg: [15000, 20000, 32000, 0],
    etd: ["1", "1", "1", ""],
    minimumKg: 1,
  },
  {
    courier: "jne",
    courierName: "JNE",
    type: "JTR23",
    name: "JNE Trucking",
    group: "cargo",
    perKg: [3500, 4000, 5000, 9000],
    etd: ["3-4", "3-5", "5-7", "8-12"],
    minimumKg: 10,
  },
  {
    courier: "jnt",
    courierName: "J&T Express",
    type: "EZ",
    name: "J&T EZ",
    group: "regular",
    perKg: [8000, 11000, 19000, 38000],
    etd: ["1-2", "2-3", "2-4", "3-7"],
    minimumKg: 1,
  },
  {
    courier: "sicepat",
    courierName: "SiCepat",
    type: "SIUNT",
    name: "SiCepat SIUNTUNG",
    group: "regular",
    perKg: [7500, 9500, 17000, 35000],
    etd: ["1-2", "1-3", "2-4", "3-6"],
    minimumKg: 1,
  },
  {
    courier: "sicepat",
    courierName: "SiCepat",
    type: "GOKIL",
    name: "SiCepat GOKIL",
    group: "cargo",
    perKg: [2500, 3000, 4500, 8500],
    etd: ["3-4", "3-5", "5-7", "8-12"],
    minimumKg: 10,
  },
  {
    courier: "anteraja",
    courierName: "AnterAja",
    type: "REG",
    name: "AnterAja Reguler",
    group: "regular",
    perKg: [7000, 9000, 16500, 34000],
    etd: ["1-2", "2-3", "2-4", "4-7"],
    minimumKg: 1,
  },
  {
    courier: "anteraja",
    courierName: "AnterAja",
    type: "ND",
    name: "AnterAja Next Day",
    group: "next_day",
    perKg: [13000, 18000, 30000, 0],
    etd: ["1", "1", "1", ""],
    minimumKg: 1,
  },
  {
    courier: "ninja",
    courierName: "Ninja Xpress",
    type: "STANDARD",
    name: "Ninja Standard",
    group: "regular",
    perKg: [8500, 10500, 18500, 37000],
    etd: ["1-2", "2-3", "2-4", "4-7"],
    minimumKg: 1,
  },
  {
    courier: "sap",
    courierName: "SAP Express",
    type: "UDRREG",
    name: "SAP Reguler",
    group: "regular",
    perKg: [7500, 10000, 17500, 36000],
    etd: ["1-2", "2-3", "3-4", "4-7"],
    minimumKg: 1,
  },
  {
    courier: "idx",
    courierName: "ID Express",
    type: "00",
    name: "ID Express Standard",
    group: "regular",
    perKg: [7000, 9500, 17000, 35500],
    etd: ["1-2", "2-3", "2-4", "4-7"],
    minimumKg: 1,
  },
  {
    courier: "tiki",
    courierName: "TIKI",
    type: "REG",
    name: "TIKI Reguler",
    group: "regular",
    perKg: [9000, 11000, 19500, 39000],
    etd: ["1-2", "2-3", "3-4", "4-7"],
    minimumKg: 1,
  },
  {
    courier: "lion",
    courierName: "Lion Parcel",
    type: "REGPACK",
    name: "Lion REGPACK",
    group: "regular",
    perKg: [7500, 9500, 16500, 33000],
    etd: ["1-2", "2-3", "2-4", "3-6"],
    minimumKg: 1,
  },
  {
    courier: "spx",
    courierName: "SPX Express",
    type: "STD",
    name: "SPX Standard",
    group: "regular",
    perKg: [7000, 9000, 16000, 34500],
    etd: ["1-2", "2-3", "2-4", "4-7"],
    minimumKg: 1,
  },
  {
    courier: "posindonesia",
    courierName: "Pos Indonesia",
    type: "PE",
    name: "Pos Reguler",
    group: "regular",
    perKg: [7000, 9000, 15500, 32000],
    etd: ["2-3", "2-4", "3-5", "5-9"],
    minimumKg: 1,
  },
];

/** These ask for village ids instead of district ids. */
const byVillageOnly = ["posindonesia"];

export interface Parcel {
  origin: District;
  destination: District;
  weightGram: number;
  lengthCm: number;
  widthCm: number;
  heightCm: number;
  itemValue: number;
  insured: boolean;
  /** Both ends were given as villages. */
  villages: boolean;
}

function zone(parcel: Parcel): 0 | 1 | 2 | 3 {
  const { origin, destination } = parcel;
  if (origin.cityId === destination.cityId) return 0;
  if (origin.provinceId === destination.provinceId) return 1;
  return origin.island === destination.island ? 2 : 3;
}

/** Volumetric grams are L×W×H/6, of trucking /4; the larger counts, by the begun kilogram. */
function kilograms(parcel: Parcel, service: Service): number {
  const volume = parcel.lengthCm * parcel.widthCm * parcel.heightCm;
  const volumeGram = volume / (service.group === "cargo" ? 4 : 6);
  return Math.max(service.minimumKg, Math.ceil(Math.max(parcel.weightGram, volumeGram) / 1000));
}

export function isServed(parcel: Parcel, service: Service): boolean {
  if (byVillageOnly.includes(service.courier) && !parcel.villages) return false;
  return service.perKg[zone(parcel)] > 0;
}

export function costOf(parcel: Parcel, service: Service): number {
  return service.perKg[zone(parcel)] * kilograms(parcel, service);
}

/** One entry of `results[]`: `cost` is a string, `insurance` a number (v6.1). */
export function priceEntry(parcel: Parcel, service: Service): Json {
  const cost = costOf(parcel, service);
  return {
    service: service.courier,
    service_name: service.name,
    service_type: service.type,
    cost: String(cost),
    etd: service.etd[zone(parcel)],
    cod: service.group === "regular",
    group: service.group,
    drop: service.group !== "cargo",
    cut_off_time: null,
    force_insurance: false,
    insurance: parcel.insured ? Math.ceil(parcel.itemValue * 0.002) + 5000 : 0,
    discount_amount: 0,
    discount_percentage: 0,
    discount_type: "",
    discount_campaign: {},
    setting: {
      cod_fee: "0.0295",
      minimum_cod_fee: "2500.00",
      insurance_fee: "0.0020",
      insurance_add_cost: "5000.00",
    },
  };
}

export function findService(courier: string, type: string): Service | undefined {
  return services.find((service) => service.courier === courier && service.type === type);
}
