import type { Fields } from "../common/fields.ts";
import type { Handler } from "../common/server.ts";
import { accepted, bodyOf, refused } from "./calls.ts";
import {
  addressText,
  type District,
  districtOfVillage,
  districts,
  findDistrict,
} from "./districts.ts";
import { isServed, type Parcel, priceEntry, services } from "./prices.ts";

function matches(district: District, words: string[]): boolean {
  const text = `${addressText(district)} ${district.zipcode}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

function searchDistricts(): Handler {
  return (request) => {
    const fields = bodyOf(request);
    const search = fields.text("search", { required: true, min: 3 });
    if (search === undefined || fields.errors.length > 0) {
      return refused("get_address_by_name", 422, fields.errors.join("; "));
    }
    const words = search
      .toLowerCase()
      .split(/[\s,]+/)
      .filter(Boolean);
    const found = districts.filter((district) => matches(district, words));
    return accepted("get_address_by_name", "Sukses", {
      data: found.map((district) => ({ id: district.id, text: addressText(district) })),
    });
  };
}

function searchVillages(): Handler {
  return (request) => {
    const words = (request.query.get("search") ?? "")
      .toLowerCase()
      .split(/[\s,]+/)
      .filter(Boolean);
    const found = words.length === 0 ? [] : districts.filter((one) => matches(one, words));
    return accepted("kelurahan_by_name", "Sukses", {
      data: found.map((district) => ({
        province_id: district.provinceId,
        city_id: district.cityId,
        district_id: district.id,
        subdistrict_id: district.id * 10,
        full_address: `${district.name}, ${addressText(district)} ${district.zipcode}`,
      })),
    });
  };
}

/** Lists of places: one row per id, in the order of the table. */
function unique<T>(
  list: readonly District[],
  idOf: (one: District) => number,
  row: (one: District) => T,
): T[] {
  return [...new Map(list.map((one) => [idOf(one), one])).values()].map(row);
}

function placeLists(): Record<string, Handler> {
  return {
    "POST /api/mitra/province": () =>
      accepted("province", "Sukses", {
        datas: unique(
          districts,
          (one) => one.provinceId,
          (one) => ({
            id: one.provinceId,
            provinsi_name: one.province,
          }),
        ),
      }),
    "POST /api/mitra/city": (request) => {
      const fields = bodyOf(request);
      const id = fields.int("provinsi_id", { required: true });
      if (id === undefined) return refused("city", 422, fields.errors.join("; "));
      const inside = districts.filter((one) => one.provinceId === id);
      return accepted("city", "Sukses", {
        datas: unique(
          inside,
          (one) => one.cityId,
          (one) => ({
            id: one.cityId,
            provinsi_id: one.provinceId,
            kabupaten_name: one.city,
          }),
        ),
      });
    },
    "POST /api/mitra/kecamatan": (request) => {
      const fields = bodyOf(request);
      const id = fields.int("kabupaten_id", { required: true });
      if (id === undefined) return refused("kecamatan", 422, fields.errors.join("; "));
      return accepted("kecamatan", "Sukses", {
        datas: districts
          .filter((one) => one.cityId === id)
          .map((one) => ({ id: one.id, kabupaten_id: one.cityId, kecamatan_name: one.name })),
      });
    },
    "POST /api/mitra/kelurahan": (request) => {
      const fields = bodyOf(request);
      const district = findDistrict(fields.int("kecamatan_id", { required: true }));
      if (!district)
        return refused("kelurahan", 422, fields.errors[0] ?? "kecamatan_id is unknown");
      return accepted("kelurahan", "Sukses", {
        results: [0, 1].map((index) => ({
          id: district.id * 10 + index,
          kecamatan_id: district.id,
          kelurahan_name: `${district.name} ${index + 1}`,
        })),
      });
    },
  };
}

function readPlace(fields: Fields, name: string, villageName: string): District | undefined {
  const village = fields.has(villageName);
  const field = village && !fields.has(name) ? villageName : name;
  const id = fields.int(field, { required: true });
  const found = field === name ? findDistrict(id) : districtOfVillage(id);
  if (id !== undefined && !found) fields.fail(field, "is unknown");
  return found;
}

function readParcel(fields: Fields): Parcel | null {
  const origin = readPlace(fields, "origin", "subdistrict_origin");
  const destination = readPlace(fields, "destination", "subdistrict_destination");
  const insurance = fields.int("insurance", { min: 0, max: 1 });
  const parcel = {
    weightGram: fields.int("weight", { required: true, min: 1 }) ?? 0,
    lengthCm: fields.int("length", { min: 1 }) ?? 1,
    widthCm: fields.int("width", { min: 1 }) ?? 1,
    heightCm: fields.int("height", { min: 1 }) ?? 1,
    itemValue: fields.int("item_value", { required: true, min: 0 }) ?? 0,
    insured: insurance === 1,
    villages: fields.has("subdistrict_origin") && fields.has("subdistrict_destination"),
  };
  return origin && destination ? { ...parcel, origin, destination } : null;
}

function shippingPrice(): Handler {
  return (request) => {
    const fields = bodyOf(request);
    const parcel = readParcel(fields);
    const wanted = fields.list("courier");
    if (wanted.some((code) => typeof code !== "string")) {
      fields.fail("courier", "must be an array of strings");
    }
    if (!parcel || fields.errors.length > 0) {
      return refused("shipping_price", 422, fields.errors.join("; "));
    }
    const offered = services.filter(
      (service) =>
        isServed(parcel, service) && (wanted.length === 0 || wanted.includes(service.courier)),
    );
    return accepted("shipping_price", "Sukses", {
      details: {
        origin: { kecamatan_id: parcel.origin.id },
        destination: { kecamatan_id: parcel.destination.id },
        weight: parcel.weightGram,
      },
      results: offered.map((service) => priceEntry(parcel, service)),
    });
  };
}

function couriers(): Handler {
  const names = new Map(services.map((service) => [service.courier, service.courierName]));
  return () =>
    accepted("couriers", "Sukses", {
      datas: [...names].map(([code, name]) => ({ code, name, type: "express" })),
    });
}

/** Places, prices and couriers: what a checkout asks before it orders. */
export function placeRoutes(): Record<string, Handler> {
  return {
    ...placeLists(),
    "POST /api/mitra/v2/get_address_by_name": searchDistricts(),
    "GET /api/mitra/kelurahan_by_name": searchVillages(),
    "POST /api/mitra/v6.1/shipping_price": shippingPrice(),
    "POST /api/mitra/couriers": couriers(),
  };
}
